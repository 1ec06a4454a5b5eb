import DeviceKit
import Foundation
import Synchronization
import Testing

import class Plant.FaultProxy
import struct Plant.FaultScript

/// Side by side, so that the soak takes its time once.
@Suite struct FaultSoakTests {
  /// All faults mixed, by seed. SELVEDGE_SOAK_SECONDS makes it longer: 3600 for the hour by hand.
  @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
  func mixedFaultsNeverGiveAWrongValue(seed: UInt64, isRTU: Bool) async throws {
    let server = try SpoiltLine.server()
    let proxy = try FaultProxy(
      to: "127.0.0.1", port: server.port, isRTU: isRTU,
      script: FaultScript(chance: 0.3, delay: .milliseconds(70), exceptions: [4, 5, 6, 8, 10, 11]), seed: seed)
    defer {
      proxy.stop()
      server.stop()
    }
    let seconds = Double(ProcessInfo.processInfo.environment["SELVEDGE_SOAK_SECONDS"] ?? "") ?? 4
    let properties = SpoiltLine.properties(every: .milliseconds(20))
    try await SpoiltLine.serve(proxy, isRTU: isRTU, properties: properties, retries: 1, timeout: "50ms") { feed, _ in
      let end = ContinuousClock.now + .seconds(seconds)
      // A busy machine may need longer before anything has been spoilt.
      let patience = end + .seconds(60)
      while ContinuousClock.now < end || (proxy.spoilt.count < 6 && ContinuousClock.now < patience) {
        try await Task.sleep(for: .milliseconds(100))
        // An hour's batches are many: what was judged is let go.
        guard feed.batches.count > 20_000 else { continue }
        let judged = feed.state.withLock { state in
          defer { state.batches.removeFirst(state.batches.count - 1_000) }
          return state.batches.dropLast(1_000)
        }
        SpoiltLine.judge(judged, properties)
      }
      #expect(proxy.spoilt.count >= 6, "\(proxy.spoilt)")
      let good = feed.batches.reduce(0) { $0 + $1.qualities.count { $0 == .good } }
      #expect(good > 0)
      proxy.script = .none
      let healed = feed.batches.count
      #expect(
        await eventually {
          feed.batches.count >= healed && (feed.batches.last?.qualities.allSatisfy { $0 == .good } ?? false)
        })
    }
  }
}
