import Foundation
import TestSupport
import Testing

@Suite("A kill in a storm of writes", .timeLimit(.minutes(30)))
struct KillStormTests {
  /// `SELVEDGE_STORM_ROUNDS` asks for more rounds.
  @Test("loses no acknowledged write, takes no version back and leaves a sound file")
  func storm() async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let rounds = ProcessInfo.processInfo.environment["SELVEDGE_STORM_ROUNDS"] ?? "5"
    let finished = try await run(
      ["python3", root.appending(path: "scripts/killstorm.py").path(), try selvedgeBinary(), "--rounds", rounds],
      within: .seconds(1_500))
    #expect(finished.status == 0, "\(finished)")
    #expect(finished.output.contains("\(rounds) rounds") && finished.output.hasSuffix("all kept\n"))
  }
}
