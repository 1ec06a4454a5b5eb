import DeviceKit
import Documents
import Foundation
import SinkKit
import Telemetry
import Testing

@Suite struct SpoolTests {
  private let layout = RecordLayout(pipeline: "default/p", fields: ["mean", "count"])

  /// One pipeline's writing end over a spool.
  private final class Bench {
    let catalogue = SeriesCatalogue()
    let spool: Spool
    init(_ folder: String, _ limits: SpoolLimits = SpoolLimits(), now: Int64 = 1_000 * second) throws {
      spool = try Spool(directory: folder, limits: limits, catalogue: catalogue, now: now)
    }

    func append(_ count: Int, device: String = "d", now: Int64 = 1_000 * second) throws {
      let point = PointName(device: DeviceKey(namespace: "default", name: device), property: "t")
      let handle = catalogue.handle(of: .init(pipeline: "default/p", point: point))
      catalogue.describe(
        handle, as: SeriesDescription(node: "n", device: point.device, property: "t", unit: "Cel", labels: ["a": "b"]))
      var rows = RecordRows()
      for index in 0..<count {
        rows.append(RecordRows.Row(slot: 0, time: now + Int64(index), windowStart: now, quality: .good))
        rows.appendField(.number, Double(index).bitPattern)
        rows.appendField(side: .string("x"))
      }
      catalogue.number(&rows, series: [handle])
      var position = 0
      try spool.append(
        rows, layout: RecordLayout(pipeline: "default/p", fields: ["mean", "count"]), from: &position, at: now)
    }

    func drain(_ limit: Int = 100, now: Int64 = 1_000 * second) throws -> [UInt64] {
      var sequences: [UInt64] = []
      while let batch = try spool.read(limit: limit, at: now) {
        sequences += batch.records.map(\.sequence)
        try spool.conclude(batch, as: .delivered)
        balance()
      }
      return sequences
    }

    func balance() {
      let counters = spool.counters
      #expect(
        counters.recovered + counters.offered
          == counters.delivered + counters.quarantined + counters.corrupt + counters.droppedTotal + counters.held)
    }
  }

  @Test func `the checksum is CRC32C`() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
  }

  @Test func `records come back as they were`() throws {
    try withFolder { folder in
      let bench = try Bench(folder)
      try bench.append(3)
      let batch = try #require(try bench.spool.read(limit: 10, at: 0))
      let record = batch.records[1]
      #expect(record.series.device.name == "d" && record.series.labels == ["a": "b"] && record.series.unit == "Cel")
      #expect(record.sequence == 2 && record.pipeline == "default/p")
      #expect(record.time.nanoseconds == 1_000 * second + 1 && record.windowStart?.nanoseconds == 1_000 * second)
      #expect(
        record.fields.map(\.value) == [.number(1), .string("x")] && record.fields.map(\.name) == ["mean", "count"])
    }
  }

  @Test func `a spool that is dropped without closing goes on where it was, each record once`() throws {
    try withFolder { folder in
      var delivered: [UInt64] = []
      var generator = SplitMix64(seed: 3)
      for _ in 0..<20 {
        let bench = try Bench(folder, SpoolLimits(segmentBytes: 4_096))
        try bench.append(Int.random(in: 1...300, using: &generator))
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
          guard let batch = try bench.spool.read(limit: .random(in: 1...90, using: &generator), at: 1_000 * second)
          else { break }
          guard Bool.random(using: &generator) else { continue }
          delivered += batch.records.map(\.sequence)
          try bench.spool.conclude(batch, as: .delivered)
          bench.balance()
        }
      }
      let bench = try Bench(folder)
      delivered += try bench.drain()
      #expect(delivered == Array(1...UInt64(delivered.count)))
      #expect(delivered.count > 300)
      try bench.append(1)
      #expect(try bench.drain() == [UInt64(delivered.count + 1)], "the sequence goes on")
    }
  }

  private func segments(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".segment") }.sorted()
  }

  @Test func `an end torn at any byte is cut off, and all before it arrives`() throws {
    try withFolder { folder in
      let path: String
      do {
        let bench = try Bench(folder)
        try bench.append(5)
        path = "\(folder)/\(try #require(try segments(folder).last))"
      }
      let whole = try Data(contentsOf: URL(fileURLWithPath: path)).count
      do { try Bench(folder).append(2, device: "other") }
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      for length in whole..<bytes.count {
        try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
        let bench = try Bench(folder)
        let batch = try #require(try bench.spool.read(limit: 100, at: 1_000 * second))
        #expect(batch.records.map(\.sequence) == [1, 2, 3, 4, 5], "cut at \(length)")
        bench.spool.release()
        // What is appended next stands behind the cut.
        try bench.append(1)
        #expect(try bench.spool.read(limit: 100, at: 1_000 * second)?.records.count == 6)
      }
    }
  }

  @Test func `damage in the middle is skipped and counted`() throws {
    try withFolder { folder in
      do {
        let bench = try Bench(folder)
        for _ in 0..<10 { try bench.append(10) }
      }
      let path = "\(folder)/\(try #require(try segments(folder).last))"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[bytes.count / 2] ^= 0xFF
      try bytes.write(to: URL(fileURLWithPath: path))
      let bench = try Bench(folder)
      let sequences = try bench.drain()
      #expect(sequences.count == 90)
      #expect(bench.spool.counters.corrupt == 10 && bench.spool.counters.damagedBytes > 0)
      bench.balance()
    }
  }

  @Test func `any single damaged byte costs at most its entry and what depends on it, never a crash`() throws {
    try withFolder { folder in
      do { try Bench(folder, SpoolLimits(segmentBytes: 1_024)).append(200) }
      let path = "\(folder)/\(try #require(try segments(folder).first))"
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      for position in stride(from: 0, to: bytes.count, by: 7) {
        try withFolder { copy in
          var damaged = bytes
          damaged[position] ^= 0x55
          try damaged.write(to: URL(fileURLWithPath: "\(copy)/\(URL(fileURLWithPath: path).lastPathComponent)"))
          let bench = try Bench(copy)
          _ = try bench.drain()
          bench.balance()
        }
      }
    }
  }

  @Test func `DropOldest keeps the newest within its bytes, DropNewest the oldest, Block takes no more`() throws {
    for policy in SpoolLimits.WhenFull.allCases {
      try withFolder { folder in
        let bench = try Bench(folder, SpoolLimits(maxBytes: 20_000, whenFull: policy))
        for _ in 0..<100 {
          try bench.append(20)
          #expect(bench.spool.bytes <= 20_000)
          bench.balance()
        }
        let taken = bench.spool.counters
        let sequences = try bench.drain()
        #expect(!sequences.isEmpty)
        switch policy {
        case .dropOldest:
          #expect(sequences.last == 2_000 && sequences.count + Int(taken.droppedTotal) == 2_000)
          #expect(sequences == Array(sequences[0]...2_000))
        case .dropNewest:
          #expect(sequences == Array(1...UInt64(sequences.count)))
          #expect(taken.dropped["bufferFull"] == 2_000 - UInt64(sequences.count))
        case .block: #expect(taken.droppedTotal == 0 && taken.offered == UInt64(sequences.count))
        }
        try bench.append(1)
        #expect(try bench.drain() == [2_001], "room again, and no number twice")
      }
    }
  }

  @Test func `records out with the sink are not counted as dropped when they arrive`() throws {
    try withFolder { folder in
      let bench = try Bench(folder, SpoolLimits(maxBytes: 20_000))
      try bench.append(50)
      let batch = try #require(try bench.spool.read(limit: 10, at: 1_000 * second))
      for _ in 0..<100 { try bench.append(20) }
      bench.balance()
      try bench.spool.conclude(batch, as: .delivered)
      bench.balance()
      #expect(bench.spool.counters.delivered == 10)
      _ = try bench.drain()
      #expect(bench.spool.counters.delivered + bench.spool.counters.droppedTotal == 2_050)
    }
  }

  @Test func `what is too old is dropped and counted`() throws {
    try withFolder { folder in
      let bench = try Bench(folder, SpoolLimits(maxAge: .seconds(60)))
      try bench.append(5)
      try bench.append(3, now: 1_100 * second)
      #expect(try bench.drain(now: 1_110 * second) == [6, 7, 8])
      #expect(bench.spool.counters.dropped == ["expired": 5])
      try bench.append(2, now: 1_200 * second)
      try bench.spool.expire(at: 1_500 * second)
      #expect(bench.spool.counters.dropped == ["expired": 7] && bench.spool.pending == 0)
      bench.balance()
    }
  }

  @Test func `a disk that takes nothing loses nothing`() throws {
    try withFolder { folder in
      final class Disk { var isFull = false }
      let disk = Disk()
      let catalogue = SeriesCatalogue()
      let spool = try Spool(directory: folder, catalogue: catalogue, now: 0) { (_: Int) throws(SpoolError) in
        if disk.isFull { throw SpoolError(reason: "DiskFull", message: "no space") }
      }
      let handle = catalogue.handle(
        of: .init(pipeline: "p", point: PointName(device: DeviceKey(namespace: "x", name: "y"), property: "z")))
      var rows = RecordRows()
      for index in 0..<10 {
        rows.append(RecordRows.Row(slot: 0, time: Int64(index), quality: .good))
        rows.appendField(.integer, 1)
      }
      catalogue.number(&rows, series: [handle])
      let layout = RecordLayout(pipeline: "p", fields: ["value"])
      var position = 0
      disk.isFull = true
      #expect(throws: SpoolError.self) { try spool.append(rows, layout: layout, from: &position, at: 0) }
      #expect(position == 0)
      disk.isFull = false
      try spool.append(rows, layout: layout, from: &position, at: 0)
      #expect(try spool.read(limit: 100, at: 0)?.records.map(\.sequence) == Array(1...10))
    }
  }

  @Test func `numbers outlive the segments that they stood in`() throws {
    try withFolder { folder in
      for round in 0..<5 {
        let bench = try Bench(folder, SpoolLimits(segmentBytes: 1_024))
        try bench.append(1, device: "rare")
        for _ in 0..<20 { try bench.append(50) }
        let count = try bench.drain().count
        #expect(count == 1_001)
        #expect(try segments(folder).count <= 2)
        let point = PointName(device: DeviceKey(namespace: "default", name: "rare"), property: "t")
        #expect(bench.catalogue.raise(.init(pipeline: "default/p", point: point), past: 0) < 10)
        let last = try Bench(folder)
        try last.append(1, device: "rare")
        #expect(try last.drain() == [UInt64(2 * round + 2)])
      }
    }
  }
}
