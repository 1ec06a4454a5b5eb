import Documents
import Foundation
import TestSupport
import Testing

@Suite("Backups of a running gateway", .timeLimit(.minutes(5)))
struct BackupTests {
  private static let namespaces = "/api/v1/namespaces"

  private func names(_ gateway: RunningGateway) async throws -> (names: [String], version: UInt64) {
    let list = try await gateway.http("GET", Self.namespaces).json()
    let version = UInt64(list[path: "metadata", "resourceVersion"]?.string ?? "") ?? 0
    return ((list["items"]?.array ?? []).compactMap { $0[path: "metadata", "name"]?.string }, version)
  }

  @Test("hold all of one moment while writes go on; restored, clients that watched must list again")
  func roundTrip() async throws {
    try await withGateway { gateway in
      func make(_ name: String) async throws {
        let response = try await gateway.http(
          "POST", Self.namespaces, contentType: "application/json",
          body: #"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"\#(name)"}}"#)
        #expect(response.status == 201, "\(response.body)")
      }
      for index in 0..<5 { try await make("before-\(index)") }
      let scratch = try ScratchFolder()
      let file = scratch("gateway.backup")
      let running = try ChildProcess(
        [try selvedgeBinary(), "backup", file, "--server", gateway.server], in: scratch)
      for index in 0..<20 { try await make("during-\(10 + index)") }
      let backup = try await running.result()
      #expect(backup.status == 0, "\(backup)")
      let (all, last) = try await names(gateway)
      // Standard output is a file here, as in `selvedge backup - > FILE`.
      let piped = try await gateway.selvedge("backup", "-")
      #expect(piped.status == 0 && piped.errors.isEmpty)
      let listing = try await run(["sqlite3", file, "-At"]).succeeded()
      #expect(Set(listing.split(separator: "\n")) == ["resources/resources.db", "twins/twin.db"])
      let again = try await gateway.selvedge("backup", file)
      #expect(again.status != 0 && again.errors.contains("exists"))

      try await gateway.stop()
      let offline = scratch("offline.backup")
      _ = try await run([try selvedgeBinary(), "backup", offline, "--data-dir", gateway.dataDirectory]).succeeded()
      for (source, isWhole) in [(file, false), (offline, true)] {
        try FileManager.default.removeItem(atPath: gateway.dataDirectory)
        _ = try await run([try selvedgeBinary(), "restore", source, "--data-dir", gateway.dataDirectory]).succeeded()
        try await gateway.restart()
        let restored = try await names(gateway)
        #expect(restored.version > last)
        #expect(Set(restored.names).isSubset(of: all))
        #expect(restored.names.count { $0.hasPrefix("before-") } == 5)
        if isWhole { #expect(restored.names == all) }
        let during = restored.names.filter { $0.hasPrefix("during-") }
        #expect(during == Array(all.filter { $0.hasPrefix("during-") }.prefix(during.count)))
        let watch = try await gateway.http("GET", "\(Self.namespaces)?watch=1&resourceVersion=\(last)")
        #expect(watch.body.contains("\"code\":410"))
        let refused = try await run([
          try selvedgeBinary(), "restore", source, "--data-dir", gateway.dataDirectory,
        ])
        #expect(refused.status != 0 && refused.errors.contains("new data directory"))
        try await gateway.stop()
      }
    }
  }
}
