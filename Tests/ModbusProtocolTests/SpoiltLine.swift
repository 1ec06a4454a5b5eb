import DeviceKit
import Documents
import ModbusProtocol
import Testing

import class Plant.FaultProxy

/// A session with a server whose registers never change, through a proxy that spoils replies: any other value is wrong.
enum SpoiltLine {
  /// What the register at `address` holds, always.
  static func value(at address: Int) -> UInt16 { UInt16(truncatingIfNeeded: address &* 257 &+ 3) }

  static func server() throws -> ScriptedPeer {
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
  static func properties(every period: Duration = period) -> [PropertyDefinition] {
    [0, 1, 500, 501, 1_000, 1_001].map { address in
      PropertyDefinition(
        name: "r\(address)", type: .integer, pollEvery: period,
        binding: ["table": "holding", "address": .integer(Int64(address))])
    }
  }

  static func serve(
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
    judge(feed.batches, properties)
  }

  static func judge(_ batches: some Sequence<SampleBatch>, _ properties: [PropertyDefinition]) {
    for batch in batches {
      for index in 0..<batch.count {
        let address = Int(properties[Int(batch.points[index].index)].name.dropFirst()) ?? -1
        guard let seen = batch.value(at: index) else { continue }
        #expect(seen == .integer(Int64(value(at: address))), "r\(address) is never another value")
        #expect(batch.qualities[index] == .good)
      }
    }
  }
}
