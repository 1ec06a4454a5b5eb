import ArgumentParser
import Documents

struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine", abstract: "Records that a Sink's receiver refuses for good: list, show, retry, drop.",
    subcommands: [
      QuarantineListCommand.self, QuarantineShowCommand.self, QuarantineRetryCommand.self, QuarantineDropCommand.self,
    ])
}

/// Which Sink's quarantine a command is about.
struct QuarantineArgument: ParsableArguments {
  @OptionGroup var server: ServerOption
  @Option(name: [.customShort("n"), .long], help: "The namespace.")
  var namespace = "default"
  @Argument(help: "The Sink.")
  var sink: String

  var path: String { "/selvedge/v1/namespaces/\(escaped(namespace))/sinks/\(escaped(sink))/quarantine" }
}

/// Which records of it: one, or all.
struct RecordArgument: ParsableArguments {
  @Argument(help: "The record's number, as list shows it.")
  var id: UInt64?
  @Flag(help: "All records.")
  var all = false

  /// The end of the path, and what to say of it.
  func place() throws -> String {
    guard (id != nil) != all else { throw ValidationFailure(message: "say a record's number, or --all") }
    return id.map { "/\($0)" } ?? ""
  }
}

struct QuarantineListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the records, the oldest first.")
  @OptionGroup var quarantine: QuarantineArgument
  @Option(help: "The most records.")
  var limit = 100
  @Option(name: .shortAndLong, help: "table or json.")
  var output = "table"

  func run() async throws {
    let document = try await quarantine.server.client().json("GET", "\(quarantine.path)?limit=\(limit)")
    guard output == "table" else {
      print(String(decoding: document.serialised(pretty: true), as: UTF8.self), terminator: "")
      return
    }
    let records = document["records"]?.array ?? []
    guard !records.isEmpty else {
      print("Nothing is in quarantine for \(quarantine.sink).")
      return
    }
    print(
      textTable(
        [["ID", "SET ASIDE", "DEVICE", "PROPERTY", "TIME", "SEQUENCE", "RETRIES", "REASON"]]
          + records.map { item in
            [
              cell(item["id"]), cell(item["time"]), cell(item[path: "record", "device"]),
              cell(item[path: "record", "property"]), cell(item[path: "record", "time"]),
              cell(item[path: "record", "sequence"]),
              item["retrying"]?.bool == true ? "waiting" : cell(item["retries"]),
              cell(item["reason"]),
            ]
          }), terminator: "")
    if document["continue"] != nil { print("There are \(cell(document["total"])) in all: raise --limit.") }
  }
}

struct QuarantineShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Prints one record as JSON.")
  @OptionGroup var quarantine: QuarantineArgument
  @Argument(help: "The record's number, as list shows it.")
  var id: UInt64

  func run() async throws {
    let document = try await quarantine.server.client().json("GET", "\(quarantine.path)/\(id)")
    print(String(decoding: document.serialised(pretty: true), as: UTF8.self), terminator: "")
  }
}

struct QuarantineRetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Has records tried again; one that is refused again stays.")
  @OptionGroup var quarantine: QuarantineArgument
  @OptionGroup var record: RecordArgument

  func run() async throws {
    let answer = try await quarantine.server.client().json("POST", quarantine.path + record.place() + "/retry")
    print("\(cell(answer["retrying"])) to be tried again")
  }
}

struct QuarantineDropCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "drop", abstract: "Drops records for good.")
  @OptionGroup var quarantine: QuarantineArgument
  @OptionGroup var record: RecordArgument

  func run() async throws {
    let answer = try await quarantine.server.client().json("DELETE", quarantine.path + record.place())
    print("\(cell(answer["dropped"])) dropped")
  }
}
