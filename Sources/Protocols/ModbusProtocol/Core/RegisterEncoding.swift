/// How a value lies in registers.
public enum RegisterEncoding: String, Sendable, Hashable, CaseIterable {
  case bit, int16, uint16, int32, uint32, int64, uint64, float32, float64, string

  /// How many registers it takes; nil for a string, whose binding says it.
  public var registerCount: Int? {
    switch self {
    case .bit, .int16, .uint16: 1
    case .int32, .uint32, .float32: 2
    case .int64, .uint64, .float64: 4
    case .string: nil
    }
  }

  public var isFloat: Bool { self == .float32 || self == .float64 }

  /// The integers that it can hold; nil for floats and strings.
  package var integerRange: ClosedRange<Int128>? {
    switch self {
    case .bit: 0...1
    case .int16: Int128(Int16.min)...Int128(Int16.max)
    case .uint16: 0...Int128(UInt16.max)
    case .int32: Int128(Int32.min)...Int128(Int32.max)
    case .uint32: 0...Int128(UInt32.max)
    case .int64: Int128(Int64.min)...Int128(Int64.max)
    case .uint64: 0...Int128(UInt64.max)
    case .float32, .float64, .string: nil
    }
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
