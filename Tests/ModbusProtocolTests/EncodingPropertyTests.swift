import DeviceKit
import Documents
import ModbusProtocol
import Testing

/// What must hold for every codec and every register, from seeds.
@Suite struct EncodingPropertyTests {
  static let words: [JSONValue] = [
    "Low", "High", "SunSpec", "ABCD", "DCBA", "BADC", "CDAB", "Pairs", "Space", "UTF-8", "ASCII", "Both", "None", -1, 0,
    1, 2,
    7, 13, 16, 31, 62, 64, 125, 40_001, 65_535, 0.1, -0.5, 1e-6, 1e9, 273.15, true, [1, 2], [["bit": 3, "name": "a"]],
    [["raw": 3, "text": "x"], ["raw": -1, "text": "y"]], ["from": 3, "count": 5], ["from": 0, "count": 64],
    ["address": 9],
    ["register": 40_003], ["0x8000"], ["charset": "ASCII", "characters": "High"], [:], [],
  ]

  /// A fragment that is right more often than not, so that codecs of every kind come out.
  private func fields(_ random: inout SplitMix64) -> JSONValue {
    var fields: JSONValue = ["table": .string(RegisterTable.allCases.randomElement(using: &random)!.rawValue)]
    fields["address"] = .integer(Int64.random(in: 0...20, using: &random))
    fields["encoding"] = .string(RegisterEncoding.allCases.randomElement(using: &random)!.rawValue)
    let choices: [(String, [JSONValue])] = [
      ("order", ["ABCD", "DCBA", "BADC", "CDAB"]), ("scale", [0.1, 2, -0.5, 1e-6, 1e12]),
      ("offset", [0.5, -40, 273.15]),
      ("registers", [1, 2, 4, 9]), ("bit", [0, 9, 31]), ("count", [2, 5, 30]), ("fractionBits", [1, 8, 31, 62]),
      ("bits", [["from": 3, "count": 5], ["from": 0, "count": 64], ["from": 15, "count": 17]]),
      ("byte", ["Low", "High"]),
      ("scaleFrom", [["address": 9], ["address": 60]]), ("notAvailable", [["SunSpec"], ["0x8000", -1], [0]]),
      ("states", [[["raw": 3, "text": "x"], ["raw": 1, "text": "y"]]]),
      ("flags", [[["bit": 3, "name": "a"], ["bit": 0, "name": "b"]]]),
      ("text", [["characters": "Low"], ["charset": "ASCII", "padding": "Space"], ["terminator": 3, "trim": "None"]]),
    ]
    for (field, values) in choices where Int.random(in: 0..<5, using: &random) == 0 {
      fields[field] =
        Int.random(in: 0..<12, using: &random) == 0
        ? Self.words.randomElement(using: &random)! : values.randomElement(using: &random)!
    }
    return fields
  }

  /// Whatever a fragment says and registers hold: an error or a value, never a crash; and what a value that was read
  /// is written as reads the same again.
  @Test(arguments: 0..<64) func everyCodecSurvivesEveryRegister(seed: UInt64) throws {
    var random = SplitMix64(seed: seed &* 7919)
    var served = 0
    for _ in 0..<2_500 where served < 20 {
      let type = PropertyType.allCases.randomElement(using: &random)!
      let definition = property("p", type, .readWrite, fields(&random))
      guard let binding = try? PropertyBinding(definition) else { continue }
      served += 1
      for round in 0..<8 {
        let registers = (0..<binding.length).map { _ in
          binding.table.holdsBits
            ? UInt16.random(in: 0...1, using: &random)
            : round == 0 ? 0 : round == 1 ? UInt16.max : UInt16.random(in: 0 ... .max, using: &random)
        }
        guard case .value(let value) = binding.codec.decode(registers[...]) else { continue }
        try expectWritable(value, binding, registers)
      }
    }
    #expect(served > 10)
  }

  private func expectWritable(_ value: Value, _ binding: PropertyBinding, _ registers: [UInt16]) throws {
    let codec = binding.codec
    guard binding.table.isWritable else { return }
    let place = codec.scaleFactor
    let power = try place.map { try ScaleFactorPlace.power(registers[$0.factorOffset], order: codec.order) } ?? 0
    let change: WriteStep.Change
    do throws(DeviceError) { change = try binding.change(to: value, power: power) } catch {
      // Doubles stand for 64-bit integers and steep scales no better than they can; other texts end at the terminator.
      let isSteep = binding.property.binding["offset"] != nil && binding.property.binding["fractionBits"] != nil
      let isCoarse = codec.type == .number && (codec.encoding.bitWidth == 64 || isSteep)
      #expect(
        isCoarse || codec.type == .string || (codec.type == .boolean && !codec.notAvailable.isEmpty),
        "\(binding.property.binding): \(value): \(error)")
      return
    }
    var written = registers
    let start = place?.valueOffset ?? 0
    switch change {
    case .registers(_, let values): for (index, value) in values.enumerated() { written[start + index] = value }
    case .coils(_, let values): written = values.map { $0 ? 1 : 0 }
    case .bits(let address, let masks, let bits):
      let first = address - Int(binding.address)
      for index in masks.indices { written[first + index] = written[first + index] & ~masks[index] | bits[index] }
    }
    // A float that is scaled, and a scale of more than 62 bits, are rounded on the way.
    guard !codec.encoding.isFloat || codec.transform.isIdentity else { return }
    guard power <= 0 || codec.transform.scale.magnitude < 1e6 else { return }
    #expect(
      codec.decode(written[...]) == .value(value), "\(binding.property.binding): \(registers) written as \(written)")
  }

  /// Every raw integer that an encoding can hold, within and at its ends, through scale and offset and back.
  @Test(
    arguments: RegisterEncoding.allCases.filter { $0.integerRange != nil && $0 != .bit }, [1.0, 0.1, 0.001, -0.5, 3])
  func whatIsReadIsWrittenTheSame(encoding: RegisterEncoding, scale: Double) throws {
    var random = SplitMix64(seed: UInt64(encoding.bitWidth) &* 31 &+ UInt64(abs(scale) * 1000))
    let range = try #require(encoding.integerRange)
    for order in RegisterOrder.allCases {
      let codec = RegisterCodec(encoding, order: order, type: .number, scale: scale, offset: scale == 1 ? 0 : -40)
      // A double holds 53 bits.
      let limit = min(range.upperBound, 1 << 50)
      let span = Int64(max(range.lowerBound, -limit))...Int64(limit)
      var samples: [Int128] = [Int128(span.lowerBound), limit, 0, 1]
      for _ in 0..<50 { samples.append(Int128(Int64.random(in: span, using: &random))) }
      for raw in samples {
        let value: Double =
          switch codec.transform.value(of: raw) {
          case .whole(let whole): Double(whole)
          case .fraction(let fraction): fraction
          }
        let binding = try PropertyBinding(
          property(
            "p", .number, .readWrite,
            [
              "table": "holding", "address": 0, "encoding": .string(encoding.rawValue),
              "order": .string(order.rawValue),
              "scale": .double(scale), "offset": .double(scale == 1 ? 0 : -40),
            ]))
        let registers: [UInt16] =
          switch try binding.change(to: .number(value)) {
          case .registers(_, let registers): registers
          case .bits(_, _, let bits): bits
          case .coils: []
          }
        #expect(binding.codec.decode(registers[...]) == .value(.number(value)), "\(raw)")
      }
      for beyond in [range.lowerBound - 1, range.upperBound + 1] {
        let whole = RegisterCodec(encoding, order: order, type: .integer)
        guard let value = Int64(exactly: beyond).map(Value.integer) ?? UInt64(exactly: beyond).map(Value.unsigned)
        else { continue }
        #expect(throws: DeviceError.self, "\(beyond)") {
          if whole.isMasked { _ = try whole.encodeMasked(value) } else { _ = try whole.encode(value) }
        }
      }
    }
  }
}
