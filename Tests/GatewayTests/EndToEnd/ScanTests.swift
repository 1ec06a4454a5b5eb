import TestSupport
import Testing

@Suite("A scan of 254 addresses with five devices", .timeLimit(.minutes(10)))
struct ScanTests {
  /// What tcpdump records is held against docs/DISCOVERY.md: functions, rates, connections, identities.
  @Test("sends what it may at the rate that it may, and finds all five")
  func recorded() async throws {
    try #require(
      try await Isolation.isPermitted(), "network namespaces are needed: be root, or allow user namespaces")
    let binary = try selvedgeBinary()
    let plant = String(binary.dropLast("selvedge".count)) + "selvedge-plant"
    let finished = try await run(
      ["python3", packageRoot + "/scripts/scancheck.py", binary, plant], within: .seconds(300))
    #expect(finished.status == 0, "\(finished)")
    #expect(!finished.output.contains("WRONG"))
  }
}
