import DeviceKit
import Documents
import Telemetry
import Testing

@Suite struct JournalCodingTests {
  @Test(arguments: [UInt64(1), 2, 3, 4, 5])
  func `batches of all kinds come back from the journal as they were`(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let points = PointTable()
    var batch = SampleBatch()
    for _ in 0..<2_000 {
      let name = PointName(
        device: DeviceKey(namespace: "n", name: "d\(Int.random(in: 0..<40, using: &generator))"), property: "p")
      let value: Value? =
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: nil
        case 1: .boolean(Bool.random(using: &generator))
        case 2: .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3: .unsigned(UInt64.random(in: UInt64(Int64.max) + 1 ... .max, using: &generator))
        case 4: .string("text \(Int.random(in: 0..<9, using: &generator))")
        case 5: .object(["a": [1, 2]])
        case 6: .number(Double(Int.random(in: -100...100, using: &generator)) / 4)
        case 7: .number(Double(bitPattern: UInt64.random(in: 0..<0x7FF0 << 48, using: &generator)))
        default: .integer(Int64.random(in: 0...3, using: &generator))
        }
      batch.append(
        points.id(of: name), value, quality: Quality.allCases.randomElement(using: &generator) ?? .good,
        sourceTime: Int64.random(in: .min ... .max, using: &generator),
        gatewayTime: Int64.random(in: 0...(1 << 60), using: &generator))
    }
    let copy = try JournalCoding.decode(JournalCoding.encode(batch, points: points), points: points)
    #expect(copy.points == batch.points && copy.qualities == batch.qualities && copy.kinds == batch.kinds)
    #expect(copy.sourceTimes == batch.sourceTimes && copy.gatewayTimes == batch.gatewayTimes)
    #expect((0..<batch.count).allSatisfy { copy.value(at: $0) == batch.value(at: $0) })
  }

  @Test func `damaged payloads are refused or read as something else, never more`() {
    var generator = SplitMix64(seed: 9)
    let points = PointTable()
    var batch = SampleBatch()
    for index in 0..<20 {
      let name = PointName(device: DeviceKey(namespace: "n", name: "d"), property: "p\(index % 3)")
      let value: Value = index % 4 == 0 ? .string("x") : .number(Double(index) / 8)
      batch.append(
        points.id(of: name), value, quality: .good, sourceTime: Int64(index), gatewayTime: Int64(index) + 5)
    }
    let payload = JournalCoding.payload(batch)
    #expect((try? JournalCoding.decode(payload: payload))?.count == 20)
    var refused = 0
    for _ in 0..<20_000 {
      var damaged = payload
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      let copy = try? JournalCoding.decode(payload: Array(damaged.prefix(Int.random(in: 1...400, using: &generator))))
      if copy == nil { refused += 1 }
      if let copy { #expect(copy.count <= damaged.count) }
    }
    #expect(refused > 1_000)
  }
}
