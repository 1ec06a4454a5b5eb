import ArgumentParser
import Gateway
import Glibc

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copies a gateway's resources and twins, while it runs or not, into one file.",
    discussion: """
      The file is a SQLite archive: sqlite3 FILE -At lists it. Telemetry that waits in the spool and the secrets' files \
      are not in it.
      """)
  @OptionGroup var server: ServerOption
  @Option(help: "Read this data directory instead of asking a running gateway.")
  var dataDir: String?
  @Argument(help: "The new file, or - for standard output.")
  var file: String

  func run() async throws {
    if file == "-" {
      try await fetch(into: 1)
      return
    }
    guard access(file, F_OK) != 0 else { throw ValidationFailure(message: "\(file) exists: name a new file") }
    if let dataDir {
      try await reportingStartErrors { try await GatewayBackup(dataDirectory: dataDir).write(to: file) }
      return
    }
    // Under another name until it is whole.
    let partial = file + ".partial"
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw ValidationFailure(message: "cannot write \(partial): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    do {
      try await fetch(into: descriptor)
    } catch {
      unlink(partial)
      throw error
    }
    guard fsync(descriptor) == 0, rename(partial, file) == 0 else {
      throw ValidationFailure(message: "cannot write \(file): \(String(cString: strerror(errno)))")
    }
  }

  private func fetch(into descriptor: Int32) async throws {
    guard dataDir == nil else {
      throw ValidationFailure(message: "a data directory is backed up into a file: name one instead of -")
    }
    let response = try await server.client().request("GET", "/selvedge/v1/backup", into: descriptor)
    guard response.isSuccess else { throw ValidationFailure(message: response.problem) }
  }
}

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Puts a backup's files into a new data directory, for a gateway to be started on it.")
  @Argument(help: "What selvedge backup has written.")
  var file: String
  @Option(help: "The data directory; it must hold no resources and no twins.")
  var dataDir: String

  func run() throws {
    do {
      try GatewayBackup.restore(file, to: dataDir)
    } catch {
      throw ValidationFailure(message: error.message)
    }
  }
}
