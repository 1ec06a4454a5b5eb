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
    let server = try SpoiltLine.server()
    let proxy = try FaultProxy(to: "127.0.0.1", port: server.port, isRTU: isRTU, seed: 7)
    defer {
      proxy.stop()
      server.stop()
    }
    try await SpoiltLine.serve(proxy, isRTU: isRTU) { feed, _ in
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
    let server = try SpoiltLine.server()
    let proxy = try FaultProxy(
      to: "127.0.0.1", port: server.port, script: FaultScript(faults: [.exception], exceptions: [code]))
    defer {
      proxy.stop()
      server.stop()
    }
    try await SpoiltLine.serve(proxy, isRTU: false, properties: [SpoiltLine.properties()[0]]) { feed, _ in
      #expect(await eventually { feed.last(0) != nil })
      #expect(feed.last(0)?.quality == .bad && feed.last(0)?.cause == ModbusException(code: code).description)
    }
    let isRepeated = [5, 6].contains(code) ? 4 : code == 8 ? 2 : 1
    #expect(proxy.requests >= isRepeated, "codes 5, 6 and 8 are asked again")
  }
}
