import DeviceKit
import Documents
import SinkKit
import TestSupport
import Testing

extension SinkConformance {
  static let delivering: [SinkRule] = [
    SinkRule("What is acknowledged is there") { s in
      let writer = try s.writer()
      for batch in 0..<5 {
        let records = (0..<20).map { SinkUnderTest.sample(batch * 20 + $0) }
        try await s.deliver(records, by: writer)
        try await s.await(records)
      }
      await writer.close()
    },
    SinkRule("Each series arrives in order, each record once where nothing fails") { s in
      let writer = try s.writer()
      let devices = ["boiler-1", "boiler-2", "press-7"]
      var all: [TelemetryRecord] = []
      // The first may find a connection still being made.
      try await s.deliver([SinkUnderTest.sample(0, device: "first")], by: writer)
      for batch in 0..<10 {
        let records = (0..<50).flatMap { number in
          devices.map { SinkUnderTest.sample(batch * 50 + number, device: $0) }
        }
        #expect(await writer.send(records) == .delivered)
        all += records
      }
      await writer.close()
      let arrivals = try await s.await(all).filter { $0.device != "first" }
      #expect(SinkUnderTest.isOrdered(arrivals))
      #expect(arrivals.count == all.count, "\(arrivals.count) arrivals of \(all.count) records")
    },
    SinkRule("An empty batch is delivered, and so are records after it") { s in
      let writer = try s.writer()
      #expect(await writer.send([]) == .delivered)
      try await s.deliver([SinkUnderTest.sample(1)], by: writer)
      try await s.await([SinkUnderTest.sample(1)])
      await writer.close()
    },
    SinkRule("Closing keeps what was delivered, and a writer that sent nothing closes too") { s in
      await (try s.writer()).close()
      let writer = try s.writer()
      let records = (0..<100).map { SinkUnderTest.sample($0) }
      try await s.deliver(records, by: writer)
      await writer.close()
      try await s.await(records)
      let successor = try s.writer()
      try await s.deliver([SinkUnderTest.sample(100)], by: successor)
      await successor.close()
      try await s.await(records + [SinkUnderTest.sample(100)])
    },
    SinkRule("A big batch arrives whole") { s in
      let writer = try s.writer()
      let records = (0..<s.bigBatch).map { SinkUnderTest.sample($0 / 10, device: "d\($0 % 10)") }
      try await s.deliver(records, by: writer)
      let arrivals = try await s.await(records)
      #expect(SinkUnderTest.isOrdered(arrivals))
      await writer.close()
    },
    SinkRule("A window's values arrive under their names") { s in
      let writer = try s.writer()
      var record = SinkUnderTest.record(
        10,
        [
          .init(name: "mean", value: .number(21.125)), .init(name: "min", value: .integer(-3)),
          .init(name: "count", value: .integer(600)),
        ])
      record.windowStart = SinkUnderTest.time(0)
      try await s.deliver([record], by: writer)
      try await s.await([record])
      await writer.close()
    },
    SinkRule("Doubles arrive bit for bit") { s in
      let writer = try s.writer()
      let values: [Double] = [
        0.1, -1e-9, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude, 123_456_789.123_456_789,
        2.5e-10, 1e22, -0.3,
      ]
      let records = values.enumerated().map { SinkUnderTest.sample($0, value: .number($1)) }
      try await s.deliver(records, by: writer)
      try await s.await(records)
      await writer.close()
    },
    SinkRule("Integers are exact over both ranges", needs: [.exactIntegers]) { s in
      let writer = try s.writer()
      let values: [Value] = [
        .integer(.max), .integer(.min), .integer(1 << 53 + 1), .unsigned(.max), .unsigned(1 << 63), .integer(0),
      ]
      let records = values.enumerated().map { SinkUnderTest.sample($0, property: "p\($0)", value: $1) }
      try await s.deliver(records, by: writer)
      try await s.await(records)
      await writer.close()
    },
    SinkRule("Booleans arrive", needs: [.booleans]) { s in
      try await arrive([.boolean(true), .boolean(false)], s)
    },
    SinkRule("Strings arrive, whatever they contain", needs: [.strings]) { s in
      try await arrive(
        [
          .string(""), .string("plain"), .string("say \"x\", then \\ and\nnew line\r\ttab"), .string("Grüße, 温度 🌡"),
          .string("a=b c,d"), .string(String(repeating: "long ", count: 2_000)),
        ], s)
    },
    SinkRule("Objects and arrays arrive", needs: [.objects]) { s in
      try await arrive([.object(["a": [1, "two", nil], "b": ["c": true]]), .object([1, 2, 3])], s)
    },
    SinkRule("What a sink cannot carry, and what is no number, holds nothing up") { s in
      let writer = try s.writer()
      let odd: [Value] = [
        .number(.nan), .number(.infinity), .number(-.infinity), .string("text"), .boolean(true), .object(["a": 1]),
        .unsigned(.max), .integer(.min),
      ]
      let records =
        odd.enumerated().map { SinkUnderTest.sample($0, property: "odd\($0)", value: $1) }
        + [SinkUnderTest.record(20, property: "none", quality: .bad, [])]
      let good = SinkUnderTest.sample(21)
      try await s.deliver(records + [good], by: writer)
      let arrivals = try await s.await([good])
      for arrival in arrivals where ["odd0", "odd1", "odd2"].contains(arrival.property) {
        #expect(arrival.fields["value"] == nil, "\(arrival.property) arrived as a value")
      }
      await writer.close()
    },
    SinkRule("A record without values says so", needs: [.emptyRecords]) { s in
      let writer = try s.writer()
      let record = SinkUnderTest.record(3, quality: .bad, [])
      try await s.deliver([record], by: writer)
      try await s.await([record])
      await writer.close()
    },
  ]

  private static func arrive(_ values: [Value], _ s: SinkUnderTest) async throws {
    let writer = try s.writer()
    let records = values.enumerated().map { SinkUnderTest.sample($0, property: "p\($0)", value: $1) }
    try await s.deliver(records, by: writer)
    try await s.await(records)
    await writer.close()
  }
}
