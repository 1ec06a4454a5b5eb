import ModbusProtocol
import Testing

@Suite struct ScanRuleTests {
  @Test func probesKeepTheirDistanceWhateverWasBefore() {
    var spacing = ProbeSpacing(perSecond: 10)
    #expect(spacing.wait(at: .seconds(5)) == .zero, "the first goes at once")
    spacing.sent(at: .seconds(5))
    #expect(spacing.wait(at: .milliseconds(5_030)) == .milliseconds(70))
    #expect(spacing.wait(at: .milliseconds(5_100)) == .zero)
    // One that comes late is followed no sooner: there is no burst to make up for a pause.
    spacing.sent(at: .seconds(60))
    #expect(spacing.wait(at: .seconds(60)) == .milliseconds(100))
  }

  @Test(
    arguments: [
      ([], ""), (["10.0.0.1"], "10.0.0.1"), (["10.0.0.3", "10.0.0.1", "10.0.0.2", "plc-1"], "10.0.0.1-3, plc-1"),
      (["10.0.0.255", "10.0.1.0"], "10.0.0.255, 10.0.1.0"), (["fe80::1", "10.0.0.1"], "10.0.0.1, fe80::1"),
      (["10.0.0.1", "10.0.0.1"], "10.0.0.1"),
    ] as [([String], String)])
  func neighbouringHostsAreOneRange(hosts: [String], text: String) {
    #expect(HostRanges(hosts).description == text)
  }

  @Test func longListsAreCutAndCounted() {
    let hosts = (0..<100).map { "10.0.0.\($0 * 2)" }
    #expect(HostRanges(hosts, limit: 3).description == "10.0.0.0, 10.0.0.2, 10.0.0.4 and 97 more")
  }
}
