import DeviceKit
import Documents
import ModbusProtocol
import Testing

@Suite struct BlockDecoderTests {
  private static let encodings: [(String, Int)] = [
    ("int16", 1), ("uint16", 1), ("int32", 2), ("uint32", 2), ("int64", 4), ("uint64", 4), ("float32", 2),
    ("float64", 4),
  ]

  private static let points = (0..<12).map { PointID(index: $0) }

  /// Random registers, random encodings: the block's decoder says what the codec says, or leaves it to the codec.
  @Test(arguments: 0..<300) func blocksDecodeAsTheirItemsDo(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var bindings: [PropertyBinding] = []
    var items: [ReadItem] = []
    var address = 0
    for index in 0..<12 {
      let (encoding, size) = Self.encodings.randomElement(using: &random)!
      let order = RegisterOrder.allCases.randomElement(using: &random)!
      var fields: JSONValue = [
        "table": "holding", "address": .integer(Int64(address)), "encoding": .string(encoding),
        "order": .string(order.rawValue),
      ]
      if Bool.random(using: &random) {
        fields["scale"] = .double([0.1, 0.01, 2, 0.001, 1.0 / 3, -0.5].randomElement(using: &random)!)
        fields["offset"] = .double([0, -40, 0.5, 273.15].randomElement(using: &random)!)
      }
      let type: PropertyType =
        fields["scale"] == nil && !encoding.hasPrefix("f") && Bool.random(using: &random)
        ? .integer : .number
      bindings.append(try PropertyBinding(property("p\(index)", type, fields)))
      items.append(ReadItem(item: index, table: .holding, address: address, length: size))
      address += size
    }
    for item in items {
      let block = ReadBlock(table: .holding, address: item.address, count: item.length, items: [item])
      let registers = (0..<item.length).map { _ in UInt16.random(in: 0 ... .max, using: &random) }
      guard let decoder = BlockDecoder(block, bindings, Self.points) else { continue }
      var batch = SampleBatch()
      let isDecoded = decoder.decode(registers, at: 99, into: &batch)
      switch bindings[item.item].codec.decode(registers[...]) {
      case .value(let value):
        #expect(isDecoded && batch.count == 1 && batch.value(at: 0) == value, "\(bindings[item.item].codec)")
        #expect(batch.qualities == [.good] && batch.sourceTimes == [99] && batch.gatewayTimes == [99])
      case .bad, .uncertain: #expect(!isDecoded && batch.isEmpty)
      }
    }
  }

  @Test func plainNumbersTakeTheShortWay() throws {
    let fields: [JSONValue] = [
      ["table": "holding", "address": 0], ["table": "holding", "address": 1, "encoding": "int16", "scale": 0.1],
      ["table": "holding", "address": 2, "encoding": "float32", "order": "CDAB"],
    ]
    let bindings = try fields.map { try PropertyBinding(property("p", .number, $0)) }
    let items = [(0, 1), (1, 1), (2, 2)].map { ReadItem(item: $0, table: .holding, address: $0, length: $1) }
    let block = ReadBlock(table: .holding, address: 0, count: 4, items: items)
    let decoder = try #require(BlockDecoder(block, bindings, Self.points))
    var batch = SampleBatch()
    #expect(decoder.decode([7, UInt16(bitPattern: -253), 0, 0x3FC0], at: 1, into: &batch))
    #expect((0..<3).map { batch.value(at: $0) } == [.number(7), .number(-25.3), .number(1.5)])
    #expect(!decoder.decode([7, 0, 0, 0x7FC0], at: 1, into: &batch) && batch.count == 3, "NaN is left to the codec")
  }

  @Test func textAndBitsAreLeftToTheCodec() throws {
    for fields in [
      ["table": "holding", "address": 0, "encoding": "string", "registers": 2],
      ["table": "holding", "address": 0, "bit": 3], ["table": "coil", "address": 0],
    ] as [JSONValue] {
      let type: PropertyType = fields["registers"] == nil ? .boolean : .string
      let binding = try PropertyBinding(property("p", type, fields))
      let item = ReadItem(item: 0, table: binding.table, address: 0, length: binding.length)
      let block = ReadBlock(table: binding.table, address: 0, count: binding.length, items: [item])
      #expect(BlockDecoder(block, [binding], Self.points) == nil)
    }
  }
}
