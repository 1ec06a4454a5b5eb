import DeviceKit
import Documents
import Foundation
import HTTPDelivery
import RemoteWriteSink
import SinkConformance
import SinkKit
import TestSupport
import Testing

/// The codecs against decoders that are not ours, over much that is random. SELVEDGE_FUZZ_SECONDS lengthens it.
@Suite struct CodecTests {
  private static var rounds: Int {
    (ProcessInfo.processInfo.environment["SELVEDGE_FUZZ_SECONDS"].flatMap { Int($0) } ?? 1) * 150
  }

  /// Bytes that compress in various ways: runs, repeats near and far, noise.
  private func bytes(_ generator: inout some RandomNumberGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    let length = [0, 1, 16, 17, 18, 100, 5_000, 65_535, 65_536, 65_537, 200_000].randomElement(using: &generator)!
    while bytes.count < length {
      let count = Int.random(in: 1...300, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: bytes += [UInt8](repeating: .random(in: 0...255, using: &generator), count: count)
      case 1 where !bytes.isEmpty:
        let start = Int.random(in: 0..<bytes.count, using: &generator)
        bytes += Array(bytes[start..<min(bytes.count, start + count)])
      case 2: for _ in 0..<count { bytes.append(.random(in: 0...255, using: &generator)) }
      default: for _ in 0..<count { bytes.append(.random(in: 97...100, using: &generator)) }
      }
    }
    return Array(bytes.prefix(length))
  }

  @Test func `what Snappy compresses, cramjam's decoder gives back`() async throws {
    var generator = SystemRandomNumberGenerator()
    let inputs = (0..<Self.rounds).map { _ in bytes(&generator) }
    let program = """
      import sys, base64, cramjam
      for line in sys.stdin:
          print(base64.b64encode(bytes(cramjam.snappy.decompress_raw(base64.b64decode(line)))).decode())
      """
    let text = inputs.map { Base64.text(of: Snappy.compressed($0)) }.joined(separator: "\n") + "\n"
    let output = try await run(["python3", "-c", program], input: text, within: .seconds(300)).succeeded()
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    for (input, line) in zip(inputs, lines) {
      #expect(Base64.bytes(of: line) == input, "\(input.count) bytes come back as others")
    }
    #expect(lines.count >= inputs.count)
    let repeated = Array(String(repeating: "temperature device=boiler ", count: 400).utf8)
    #expect(Snappy.compressed(repeated).count < repeated.count / 10)
  }

  /// Text with all that the formats give a meaning to.
  private func text(_ generator: inout some RandomNumberGenerator, lineEnds: Bool) -> String {
    let pieces = [
      "a", "Z", "9", " ", ",", "=", "\"", "\\", "{", "}", "ä", "温", "🌡", "'", "/", "#", ":", "-", "_", "\t",
    ]
    let all = lineEnds ? pieces + ["\n", "\r"] : pieces
    return (0..<Int.random(in: 1...12, using: &generator)).map { _ in all.randomElement(using: &generator)! }.joined()
  }

  private func value(_ generator: inout some RandomNumberGenerator) -> Value {
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: .integer(.random(in: .min ... .max, using: &generator))
    case 1: .boolean(.random(using: &generator))
    case 2: .string(text(&generator, lineEnds: true))
    case 3: .number(Double(bitPattern: .random(in: 0...0x7FEF_FFFF_FFFF_FFFF, using: &generator)))
    default: .number(.random(in: -1e3...1e3, using: &generator))
    }
  }

  @Test(arguments: [Kind.ndjson, .influx2, .otlp, .remoteWrite2])
  func `random names and values arrive as they were`(kind: Kind) async throws {
    var generator = SystemRandomNumberGenerator()
    let isLines = kind.fragment["format"] == "influx"
    let takesAll = kind.name == "http"
    let receiver = try await ForeignReceiver()
    let writer = try kind.writer(receiver.url(kind.path))
    var records: [TelemetryRecord] = []
    for number in 0..<Self.rounds * 4 {
      var device = text(&generator, lineEnds: !isLines)
      // A backslash before what line protocol escapes has no form there, as the sink says.
      if isLines { device = device.replacing("\\", with: "") + "x" }
      var value = value(&generator)
      if !takesAll, case .string = value { value = .integer(Int64(number)) }
      if kind.name == "prometheusRemoteWrite", case .boolean = value { value = .number(0.5) }
      if case .boolean(let bool) = value, kind.name == "otlp" { value = .integer(bool ? 1 : 0) }
      if kind.name == "prometheusRemoteWrite", case .integer(let integer) = value { value = .integer(integer >> 11) }
      // Where the wire has one kind of number, a whole one is read back as an integer.
      let hasOneKind = kind.name == "prometheusRemoteWrite" || kind.fragment["format"] == "ndjson"
      if hasOneKind, case .number(let number) = value, number == number.rounded() {
        value = .number(0.25)
      }
      records.append(SinkUnderTest.sample(number, device: device, value: value))
    }
    for start in stride(from: 0, to: records.count, by: 200) {
      let batch = Array(records[start..<min(records.count, start + 200)])
      #expect(await writer.send(batch) == .delivered)
    }
    let arrived = Set(try await receiver.arrivals())
    for record in records {
      let wanted = SinkUnderTest.Arrival(
        device: record.series.device.name, property: "temperature", time: record.time,
        fields: ["value": record.fields[0].value])
      // Apart, so that a failure does not print all that arrived.
      let isThere = arrived.contains(wanted)
      #expect(isThere, "\(wanted) is not there")
    }
    await writer.close()
  }

  @Test func `a protobuf message is read as it was written`() throws {
    let message = ProtobufWriter.message { writer in
      writer.varint(1, 300)
      writer.int64(2, -1)
      writer.fixed64(3, .max)
      writer.fixed32(4, 7)
      writer.string(5, "größe")
      writer.message(16) { $0.double(1, 0.5) }
      writer.packed(17, [1, 300])
      writer.packed(18, [])
    }
    // 300 as the specification's own example writes it, field 1: 08 ac 02.
    #expect(message.prefix(3) == [0x08, 0xAC, 0x02])
    var reader = ProtobufReader(message)
    var fields: [Int: ProtobufReader.Content] = [:]
    while let (field, content) = try reader.next() { fields[field] = content }
    #expect(
      fields == [
        1: .varint(300), 2: .varint(.max), 3: .fixed64(.max), 4: .fixed32(7), 5: .bytes(Array("größe".utf8)),
        16: .bytes([0x09, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]), 17: .bytes([0x01, 0xAC, 0x02]),
      ])
  }

  @Test func `a long message gets a length of several bytes`() throws {
    let text = String(repeating: "x", count: 20_000)
    var reader = ProtobufReader(ProtobufWriter.message { $0.message(2) { $0.string(3, text) } })
    let outer = try #require(try reader.next()?.content.bytes)
    var inner = ProtobufReader(outer)
    #expect(try inner.next()?.content.bytes == Array(text.utf8))
  }

  @Test(
    arguments: [
      [0x08], [0x0A, 0x05, 0x01], [0x09, 0x01], [0x0B], [0x00, 0x01],
      [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
      [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
    ] as [[UInt8]])
  func `what is no message is told`(bytes: [UInt8]) {
    var reader = ProtobufReader(bytes)
    #expect(throws: ProtobufReader.Malformed.self) { while try reader.next() != nil {} }
  }

  @Test func `no bytes make the reader fail otherwise than by saying so`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<Self.rounds * 200 {
      let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      var reader = ProtobufReader(bytes)
      var fields = 0
      while let _ = try? reader.next() { fields += 1 }
      #expect(fields <= bytes.count)
    }
  }

  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
      ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("tomorrow", nil),
      ("Sun, 31 Feb 1994", nil),
    ] as [(String, Int64?)])
  func `a date in any of HTTP's forms is a time`(text: String, seconds: Int64?) {
    let now = Timestamp(seconds: 784_111_777 - 100)
    #expect(RetryAfter.delay(text, date: nil, now: now) == seconds.map { _ in .seconds(100) })
    if seconds != nil {
      #expect(RetryAfter.delay(text, date: "Sun, 06 Nov 1994 08:49:36 GMT", now: now) == .seconds(1))
      #expect(RetryAfter.delay(text, date: "nonsense", now: Timestamp(seconds: 900_000_000)) == .zero)
    }
  }
}
