import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import Synchronization
import Testing

import class Plant.FaultProxy
import struct Plant.FaultScript
import enum Plant.ReplyFault

/// A session behind a proxy that spoils replies: the right quality and code, never a wrong value, and back within two
/// periods.
@Suite(.serialized) struct FaultProxyTests {
  /// What the register at `address` holds, always.
  private static func value(at address: Int) -> UInt16 { UInt16(truncatingIfNeeded: address &* 257 &+ 3) }

  private static func server() throws -> ScriptedPeer {
    try ScriptedPeer { request, _ in
      guard request.count == 12, request[7] == 3 else { return nil }
      let address = Int(request[8]) << 8 | Int(request[9])
      let count = Int(request[11])
      let values = (address..<address + count).map { value(at: $0) }
      let bytes: [UInt8] = values.flatMap { word -> [UInt8] in [UInt8(word >> 8), UInt8(word & 0xFF)] }
      let body: [UInt8] = [request[6], 3, UInt8(count * 2)] + bytes
      return Array(request[0..<4]) + [0, UInt8(body.count)] + body
    }
  }

  private static let period = Duration.milliseconds(300)

  /// Three blocks of equal size, which only their addresses tell apart.
  private static func properties(every period: Duration = period) -> [PropertyDefinition] {
    [0, 1, 500, 501, 1_000, 1_001].map { address in
      PropertyDefinition(
        name: "r\(address)", type: .integer, pollEvery: period,
        binding: ["table": "holding", "address": .integer(Int64(address))])
    }
  }

  private func serve(
    _ proxy: FaultProxy, isRTU: Bool, properties: [PropertyDefinition] = properties(), retries: Int64 = 0,
    timeout: String = "100ms", _ body: (CollectingFeed, LinkCounters) async throws -> Void
  ) async throws {
    let plugin = ModbusPlugin()
    let feed = CollectingFeed()
    var connection = tcp(proxy.port, timeout: timeout, framing: isRTU ? "RTU" : "TCP")
    connection["retries"] = .integer(retries)
    let session = try plugin.session(for: sessionRequest(properties, connection: connection), feed: feed)
    let task = Task { await session.run() }
    defer { task.cancel() }
    try await body(feed, plugin.links.counters)
    task.cancel()
    await task.value
    Self.judge(feed.batches, properties)
  }

  private static func judge(_ batches: some Sequence<SampleBatch>, _ properties: [PropertyDefinition]) {
    for batch in batches {
      for index in 0..<batch.count {
        let address = Int(properties[Int(batch.points[index].index)].name.dropFirst()) ?? -1
        guard let seen = batch.value(at: index) else { continue }
        #expect(seen == .integer(Int64(value(at: address))), "r\(address) is never another value")
        #expect(batch.qualities[index] == .good)
      }
    }
  }

  private struct Expected {
    var causes: Set<String>
    var quality: Quality
  }

  /// The first sample's cause and quality once `fault` spoils every reply. A garbled reply is Uncertain once.
  private static func expected(_ fault: ReplyFault, isRTU: Bool) -> Expected {
    switch fault {
    case .drop, .delay, .reorder: Expected(causes: ["Timeout"], quality: .bad)
    case .truncate: Expected(causes: ["MalformedReply"], quality: .uncertain)
    case .corrupt where isRTU: Expected(causes: ["BadChecksum", "MalformedReply", "WrongUnit"], quality: .uncertain)
    case .corrupt:
      Expected(
        causes: ["MalformedReply", "WrongUnit", "WrongFunction", "WrongTransaction", "NotModbus", "Late"],
        quality: .uncertain)
    case .exception: Expected(causes: ["exception 4 ServerDeviceFailure"], quality: .bad)
    case .hangUp: Expected(causes: ["ConnectionLost"], quality: .bad)
    case .duplicate: Expected(causes: [], quality: .good)
    }
  }

  @Test(arguments: ReplyFault.allCases, [false, true])
  func eachFaultHasItsCauseAndIsOverWithinTwoPeriods(fault: ReplyFault, isRTU: Bool) async throws {
    let server = try Self.server()
    let proxy = try FaultProxy(to: "127.0.0.1", port: server.port, isRTU: isRTU, seed: 7)
    defer {
      proxy.stop()
      server.stop()
    }
    try await serve(proxy, isRTU: isRTU) { feed, _ in
      #expect(await eventually { feed.last(0)?.quality == .good && feed.last(5)?.quality == .good })
      let before = feed.batches.count
      proxy.script = FaultScript(faults: [fault], exceptions: [4])
      let expected = Self.expected(fault, isRTU: isRTU)
      guard fault != .duplicate else {
        #expect(await eventually { feed.batches.count >= before + 5 })
        #expect(feed.batches[before...].allSatisfy { $0.qualities.allSatisfy { $0 == .good } })
        return
      }
      #expect(await eventually { feed.batches[before...].contains { !$0.causes.isEmpty } })
      let first = try #require(feed.batches[before...].first { !$0.causes.isEmpty })
      let index = try #require(first.causes.keys.min())
      let cause = first.causes[index] ?? ""
      #expect(
        expected.causes.contains { cause == $0 || cause.hasPrefix("\($0): ") }, "\(fault) \(isRTU): \(cause)")
      #expect(first.qualities[index] == expected.quality, "\(cause)")
      // A second failure in a row is Bad, whatever it was.
      #expect(await eventually { feed.last(0)?.quality == .bad }, "\(feed.last(0)?.cause ?? "")")
      proxy.script = .none
      let healed = feed.batches.count
      #expect(await eventually { feed.batches[healed...].contains { $0.qualities.allSatisfy { $0 == .good } } })
      let spoilt = feed.batches[healed...].prefix { !$0.qualities.allSatisfy { $0 == .good } }.count
      #expect(spoilt <= 2, "\(fault) \(isRTU): \(spoilt) polls until all is well again")
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 8, 10, 11] as [UInt8])
  func exceptionsKeepTheirCodeThroughTheProxy(code: UInt8) async throws {
    let server = try Self.server()
    let proxy = try FaultProxy(
      to: "127.0.0.1", port: server.port, script: FaultScript(faults: [.exception], exceptions: [code]))
    defer {
      proxy.stop()
      server.stop()
    }
    try await serve(proxy, isRTU: false, properties: [Self.properties()[0]]) { feed, _ in
      #expect(await eventually { feed.last(0) != nil })
      #expect(feed.last(0)?.quality == .bad && feed.last(0)?.cause == ModbusException(code: code).description)
    }
    let isRepeated = [5, 6].contains(code) ? 4 : code == 8 ? 2 : 1
    #expect(proxy.requests >= isRepeated, "codes 5, 6 and 8 are asked again")
  }

  /// All faults mixed, by seed. SELVEDGE_SOAK_SECONDS makes it longer: 3600 for the hour by hand.
  @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
  func mixedFaultsNeverGiveAWrongValue(seed: UInt64, isRTU: Bool) async throws {
    let server = try Self.server()
    let proxy = try FaultProxy(
      to: "127.0.0.1", port: server.port, isRTU: isRTU,
      script: FaultScript(chance: 0.3, delay: .milliseconds(70), exceptions: [4, 5, 6, 8, 10, 11]), seed: seed)
    defer {
      proxy.stop()
      server.stop()
    }
    let seconds = Double(ProcessInfo.processInfo.environment["SELVEDGE_SOAK_SECONDS"] ?? "") ?? 4
    let properties = Self.properties(every: .milliseconds(20))
    try await serve(proxy, isRTU: isRTU, properties: properties, retries: 1, timeout: "50ms") { feed, _ in
      let end = ContinuousClock.now + .seconds(seconds)
      while ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(100))
        // An hour's batches are many: what was judged is let go.
        guard feed.batches.count > 20_000 else { continue }
        let judged = feed.state.withLock { state in
          defer { state.batches.removeFirst(state.batches.count - 1_000) }
          return state.batches.dropLast(1_000)
        }
        Self.judge(judged, properties)
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
