import Foundation
import Glibc
import TestSupport
import Testing

/// A start that cannot succeed ends at once, with one line that says what to do.
@Suite struct StartFailureTests {
  private func failure(_ flags: [String]) async throws -> String {
    let result = try await run([try selvedgeBinary(), "run"] + flags, within: .seconds(120))
    #expect(result.status == 1, "\(result)")
    let lines = result.errors.split(separator: "\n")
    let errors = lines.filter { $0.hasPrefix("Error: ") }
    #expect(errors.count == 1 && lines.last == errors.first, "one line, the last: \(result.errors)")
    return errors.first.map(String.init) ?? ""
  }

  @Test(.timeLimit(.minutes(10)))
  func aSecondGatewayOnTheSameDataDirectoryIsRefused() async throws {
    try await withGateway { gateway in
      let error = try await failure(["--data-dir", gateway.dataDirectory, "--listen", "127.0.0.1:0"])
      #expect(error.contains("another gateway") && error.contains(gateway.dataDirectory))
      #expect(try await gateway.http("GET", "/readyz").status == 200, "the first one goes on")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aPortInUseIsToldAndNoStoreIsHarmed() async throws {
    try await withGateway { gateway in
      let folder = try ScratchFolder()
      let error = try await failure(["--data-dir", folder("data"), "--listen", "127.0.0.1:\(gateway.port)"])
      #expect(error.contains("127.0.0.1:\(gateway.port)") && error.contains("in use"))
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aDataDirectoryThatCannotBeMadeIsTold() async throws {
    let folder = try ScratchFolder()
    let file = try folder.write("", to: "file")
    let error = try await failure(["--data-dir", file + "/data", "--listen", "127.0.0.1:0"])
    #expect(error.contains(file + "/data") && error.contains("Not a directory"))
  }

  @Test(.timeLimit(.minutes(10)))
  func aReadOnlyDataDirectoryIsTold() async throws {
    let folder = try ScratchFolder()
    let data = folder("data")
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
    // A read-only mount in a namespace of its own stops root too.
    let isRoot = geteuid() == 0
    let result = try await run(
      ["unshare"] + (isRoot ? [] : ["--map-root-user"]) + [
        "--mount", "sh", "-c",
        "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && exec \"$2\" run --data-dir \"$1\" --listen 127.0.0.1:0",
        "sh", data, try selvedgeBinary(),
      ], within: .seconds(120))
    #expect(result.status == 1, "\(result)")
    #expect(result.errors.hasPrefix("Error: ") && result.errors.split(separator: "\n").count == 1, "\(result)")
    #expect(result.errors.contains(data) && result.errors.contains("Read-only file system"), "\(result)")
  }

  @Test(.timeLimit(.minutes(10)))
  func anAddressBeyondTheLoopbackIsRefused() async throws {
    let folder = try ScratchFolder()
    let error = try await failure(["--data-dir", folder("data"), "--listen", "0.0.0.0:0"])
    #expect(error.contains("loopback"), "\(error)")
  }

  @Test(.timeLimit(.minutes(10)))
  func aFileOfCredentialsThatCannotServeIsToldWithoutThem() async throws {
    let folder = try ScratchFolder()
    func start(with content: String, mode: mode_t) async throws -> String {
      let path = try folder.write(content, to: "tokens.csv")
      chmod(path, mode)
      return try await failure(["--data-dir", folder("data"), "--listen", "127.0.0.1:0", "--token-file", path])
    }
    let open = try await start(with: "secret-token-1,alice,1\n", mode: 0o604)
    #expect(open.contains("other users") && open.contains("chmod"), "\(open)")
    let broken = try await start(with: "secret-token-1,alice\n", mode: 0o600)
    #expect(broken.contains("line 1") && !broken.contains("secret-token"), "\(broken)")
    let none = try await failure([
      "--data-dir", folder("data"), "--listen", "127.0.0.1:0", "--tls-cert", folder("none"), "--tls-key",
      folder("none"),
    ])
    #expect(none.contains("none") && none.contains("No such file"), "\(none)")
  }
}
