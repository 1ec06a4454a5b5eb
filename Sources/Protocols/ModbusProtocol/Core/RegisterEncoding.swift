/// How a value lies in registers.
public enum RegisterEncoding: String, Sendable, Hashable, CaseIterable {
  case bit, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16, float32, float64, bcd16, bcd32, bcd64,
    string

  /// How many registers it takes; nil for a string, whose binding says it.
  public var registerCount: Int? {
    switch self {
    case .bit, .int8, .uint8, .int16, .uint16, .float16, .bcd16: 1
    case .int32, .uint32, .float32, .bcd32: 2
    case .int64, .uint64, .float64, .bcd64: 4
    case .string: nil
    }
  }

  public var isFloat: Bool { self == .float16 || self == .float32 || self == .float64 }

  /// Four bits a decimal digit, the highest digit first: packed, without a sign.
  public var isBCD: Bool { self == .bcd16 || self == .bcd32 || self == .bcd64 }

  /// An integer in two's complement or without a sign; of it single bits and fields can be taken.
  public var isInteger: Bool { !isFloat && !isBCD && self != .string }

  /// Two's complement.
  package var isSigned: Bool { self == .int8 || self == .int16 || self == .int32 || self == .int64 }

  /// How many bits the raw value has; 0 for a string.
  package var bitWidth: Int {
    switch self {
    case .bit: 1
    case .int8, .uint8: 8
    default: (registerCount ?? 0) * 16
    }
  }

  /// The integers that it can hold; nil for floats and strings.
  package var integerRange: ClosedRange<Int128>? {
    if isBCD { return 0...((0..<bitWidth / 4).reduce(1) { power, _ in power * 10 } - 1) }
    guard isInteger else { return nil }
    return isSigned
      ? -(Int128(1) << Int128(bitWidth - 1))...(Int128(1) << Int128(bitWidth - 1)) - 1
      : 0...(Int128(1) << Int128(bitWidth)) - 1
  }
}

/// The order of a value's bytes, A being the most significant; the pattern repeats at every width. `ABCD` is big-endian
/// as the protocol has it, `CDAB` reverses the registers, `BADC` swaps the bytes in each, `DCBA` does both.
public enum RegisterOrder: String, Sendable, Hashable, CaseIterable {
  case abcd = "ABCD"
  case dcba = "DCBA"
  case badc = "BADC"
  case cdab = "CDAB"

  var swapsBytes: Bool { self == .dcba || self == .badc }
  var reversesRegisters: Bool { self == .dcba || self == .cdab }
}
