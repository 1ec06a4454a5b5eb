/// One of the four tables of a Modbus device (Modbus Application Protocol V1.1b3, section 4.3).
public enum RegisterTable: String, Sendable, CaseIterable {
  case coil, discrete, input, holding

  /// Whether a cell holds one bit instead of 16.
  public var isBit: Bool { self == .coil || self == .discrete }
}

/// The zero-based addresses that a device has, one contiguous range a table; anything else answers exception 2.
public struct RegisterLayout: Sendable, Equatable {
  public var coils: Range<Int>
  public var discretes: Range<Int>
  public var inputs: Range<Int>
  public var holdings: Range<Int>

  public init(
    coils: Range<Int> = 0..<0, discretes: Range<Int> = 0..<0, inputs: Range<Int> = 0..<0, holdings: Range<Int> = 0..<0
  ) {
    self.coils = coils
    self.discretes = discretes
    self.inputs = inputs
    self.holdings = holdings
  }

  public subscript(table: RegisterTable) -> Range<Int> {
    switch table {
    case .coil: coils
    case .discrete: discretes
    case .input: inputs
    case .holding: holdings
    }
  }
}

/// The contents of a device's four tables at one moment. Bits are 0 or 1.
public struct RegisterImage: Sendable, Equatable {
  public let layout: RegisterLayout
  var coils: [UInt8]
  var discretes: [UInt8]
  var inputs: [UInt16]
  var holdings: [UInt16]

  public init(layout: RegisterLayout) {
    self.layout = layout
    coils = Array(repeating: 0, count: layout.coils.count)
    discretes = Array(repeating: 0, count: layout.discretes.count)
    inputs = Array(repeating: 0, count: layout.inputs.count)
    holdings = Array(repeating: 0, count: layout.holdings.count)
  }

  /// The cell at `address`; the address must be in the layout.
  public subscript(table: RegisterTable, address: Int) -> UInt16 {
    get {
      let index = address - layout[table].lowerBound
      return switch table {
      case .coil: UInt16(coils[index])
      case .discrete: UInt16(discretes[index])
      case .input: inputs[index]
      case .holding: holdings[index]
      }
    }
    set {
      let index = address - layout[table].lowerBound
      switch table {
      case .coil: coils[index] = newValue == 0 ? 0 : 1
      case .discrete: discretes[index] = newValue == 0 ? 0 : 1
      case .input: inputs[index] = newValue
      case .holding: holdings[index] = newValue
      }
    }
  }

  /// A signed number in one register.
  public mutating func set(_ table: RegisterTable, _ address: Int, int16 value: Double) {
    self[table, address] = UInt16(bitPattern: Int16(clamping: Int(value.rounded())))
  }

  /// An unsigned number in two registers, high word first.
  public mutating func set(_ table: RegisterTable, _ address: Int, uint32 value: UInt32) {
    self[table, address] = UInt16(truncatingIfNeeded: value >> 16)
    self[table, address + 1] = UInt16(truncatingIfNeeded: value)
  }

  /// An IEEE 754 single in two registers, order ABCD.
  public mutating func set(_ table: RegisterTable, _ address: Int, float32 value: Double) {
    set(table, address, uint32: Float(value).bitPattern)
  }

  /// Two characters a register, high byte first, padded with NUL; longer text is cut.
  public mutating func set(_ table: RegisterTable, _ address: Int, string text: String, registers: Int) {
    var bytes = Array(text.utf8.prefix(registers * 2))
    bytes += repeatElement(0, count: registers * 2 - bytes.count)
    for index in 0..<registers {
      self[table, address + index] = UInt16(bytes[index * 2]) << 8 | UInt16(bytes[index * 2 + 1])
    }
  }

  /// Two registers as an unsigned number, high word first.
  public func uint32(_ table: RegisterTable, _ address: Int) -> UInt32 {
    UInt32(self[table, address]) << 16 | UInt32(self[table, address + 1])
  }

  /// Two registers as an IEEE 754 single, order ABCD.
  public func float32(_ table: RegisterTable, _ address: Int) -> Double {
    Double(Float(bitPattern: uint32(table, address)))
  }

  /// Registers as text up to the first NUL.
  public func string(_ table: RegisterTable, _ address: Int, registers: Int) -> String {
    var bytes: [UInt8] = []
    for offset in 0..<registers {
      let register = self[table, address + offset]
      bytes += [UInt8(register >> 8), UInt8(register & 0xFF)]
    }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
