import DeviceKit
import ModbusProtocol
import Testing

@Suite struct RegisterCodecTests {
  /// Python's struct packs big-endian; the order is then applied to the bytes by slicing, independently of this code.
  @Test func everyEncodingAndOrderAgreesWithPythonsStruct() async throws {
    let program = #"""
      import struct, random
      random.seed(7)
      formats = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d"}
      def arrange(b, order):
          words = [b[i:i+2] for i in range(0, len(b), 2)]
          if order in ("BADC", "DCBA"): words = [w[::-1] for w in words]
          if order in ("CDAB", "DCBA"): words = words[::-1]
          return b"".join(words)
      for name, f in formats.items():
          for order in ("ABCD", "DCBA", "BADC", "CDAB"):
              for n in range(25):
                  raw = bytes(random.getrandbits(8) for _ in range(struct.calcsize(f)))
                  if n < 4: raw = [b"\x00" * len(raw), b"\xff" * len(raw), b"\x80" + b"\x00" * (len(raw) - 1), b"\x7f" + b"\xff" * (len(raw) - 1)][n]
                  value = struct.unpack(">" + f, raw)[0]
                  print(name, order, arrange(raw, order).hex(), repr(value))
      """#
    var checked = 0
    for line in try await python(program).split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      let encoding = try #require(RegisterEncoding(rawValue: words[0]))
      let order = try #require(RegisterOrder(rawValue: words[1]))
      let bytes = stride(from: 0, to: words[2].count, by: 2).map { offset in
        let start = words[2].index(words[2].startIndex, offsetBy: offset)
        return UInt8(words[2][start...].prefix(2), radix: 16) ?? 0
      }
      let registers = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
      let codec = RegisterCodec(encoding, order: order, type: encoding.isFloat ? .number : .integer)
      let expected: Value?
      if encoding.isFloat {
        let number = Double(words[3]) ?? .nan
        expected = number.isFinite ? .number(number) : nil
      } else {
        expected = Int64(words[3]).map(Value.integer) ?? UInt64(words[3]).map(Value.unsigned)
      }
      if let expected {
        #expect(codec.decode(registers[...]) == .value(expected), "\(line)")
        #expect(try codec.encode(expected) == registers, "\(line)")
      } else if case .bad = codec.decode(registers[...]) {
      } else {
        Issue.record("\(line) must be Bad")
      }
      checked += 1
    }
    #expect(checked == 800)
  }

  @Test(
    arguments: [
      (0.1, 0, 253, 25.3), (0.1, -40, 253, -14.7), (0.01, 0, 5550, 55.5), (0.003, 0, 7, 0.021), (0.25, 1, 3, 1.75),
      (1e-12, 0, 5, 5e-12), (1.0 / 3, 0, 9, 3), (-0.1, 0, 10, -1),
    ] as [(Double, Double, UInt16, Double)])
  func scaledNumbersCarryNoDustAndComeBack(scale: Double, offset: Double, raw: UInt16, value: Double) throws {
    let codec = RegisterCodec(.uint16, scale: scale, offset: offset)
    #expect(codec.decode([raw]) == .value(.number(value)))
    #expect(try codec.encode(.number(value)) == [raw])
  }

  @Test func integersStayExactUnderWholeScales() throws {
    let codec = RegisterCodec(.int64, type: .integer, scale: 3, offset: 1)
    let raw: UInt64 = 3_000_000_000_000_000_001
    let registers = (0..<4).map { UInt16(truncatingIfNeeded: raw >> (48 - 16 * UInt64($0))) }
    #expect(codec.decode(registers[...]) == .value(.integer(9_000_000_000_000_000_004)))
    #expect(try codec.encode(.integer(9_000_000_000_000_000_004)) == registers)
    let ones = [UInt16](repeating: 0xFFFF, count: 4)[...]
    #expect(RegisterCodec(.uint64, type: .integer).decode(ones) == .value(.unsigned(.max)))
    #expect(
      RegisterCodec(.uint64, type: .integer, scale: 10).decode(ones)
        == .bad(cause: "184467440737095516150 does not fit 64 bits"))
  }

  @Test(arguments: [
    (RegisterEncoding.int16, Value.number(3276.74), [UInt16(32767)] as [UInt16]?), (.int16, .number(3276.85), nil),
    (.int16, .number(-3276.84), [0x8000]), (.uint16, .number(-0.06), nil), (.uint16, .number(-0.04), [0]),
    (.uint16, .string("5"), nil), (.uint16, .integer(6553), [65530]), (.uint16, .integer(6554), nil),
    (.uint16, .number(.infinity), nil), (.float32, .number(1e39), nil), (.int32, .number(0.15), [0, 2]),
  ])
  func writesRoundToTheNearestAndRefuseWhatDoesNotFit(encoding: RegisterEncoding, value: Value, expected: [UInt16]?) {
    let registers = try? RegisterCodec(encoding, scale: 0.1).encode(value)
    #expect(registers == expected)
  }

  @Test func fractionsInAnIntegerPropertyAreUncertain() {
    let codec = RegisterCodec(.uint16, type: .integer, scale: 0.1)
    #expect(codec.decode([20]) == .value(.integer(2)))
    #expect(codec.decode([25]) == .uncertain(.integer(3), cause: "2.5 is not a whole number"))
  }

  @Test(arguments: [(Float.nan, "the device reports NaN"), (.infinity, "the device reports infinity")])
  func notANumberIsBad(number: Float, cause: String) {
    let bits = number.bitPattern
    let registers = [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
    #expect(RegisterCodec(.float32).decode(registers[...]) == .bad(cause: cause))
  }

  @Test func stringsEndAtTheFirstNul() throws {
    let codec = RegisterCodec(.string, type: .string, registers: 4)
    #expect(codec.decode([0x4243, 0x2D34, 0x0041, 0x4242]) == .value(.string("BC-4")))
    #expect(try codec.encode(.string("BC-4")) == [0x4243, 0x2D34, 0, 0])
    #expect(throws: DeviceError.self) { try codec.encode(.string("nine char")) }
    let swapped = RegisterCodec(.string, order: .badc, type: .string, registers: 2)
    #expect(swapped.decode([0x4342, 0x342D]) == .value(.string("BC-4")))
    #expect(RegisterCodec(.string, type: .string, registers: 1).decode([0xB043]) == .value(.string("°C")))
  }

  @Test func bitsComeOutOfRegisters() {
    #expect(RegisterCodec(.uint16, type: .boolean, bit: 5).decode([0x20]) == .value(.boolean(true)))
    #expect(RegisterCodec(.uint16, type: .boolean, bit: 5).decode([0xFFDF]) == .value(.boolean(false)))
    #expect(RegisterCodec(.uint16, type: .integer, bit: 15).decode([0x8000]) == .value(.integer(1)))
    #expect(RegisterCodec(.uint32, order: .cdab, type: .boolean, bit: 16).decode([0, 1]) == .value(.boolean(true)))
  }
}
