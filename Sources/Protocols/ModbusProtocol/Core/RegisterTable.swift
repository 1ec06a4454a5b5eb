/// One of the four tables of the Modbus data model (Modbus Application Protocol V1.1b3, section 4.3).
public enum RegisterTable: String, Sendable, Hashable, CaseIterable {
  case coil, discrete, input, holding

  /// Whether an address holds one bit; otherwise it holds a 16-bit register.
  public var holdsBits: Bool { self == .coil || self == .discrete }
  public var isWritable: Bool { self == .coil || self == .holding }

  /// The most addresses that one read may ask for: 2,000 bits or 125 registers (sections 6.1 to 6.4).
  public var maximumReadCount: Int { holdsBits ? 2000 : 125 }

  package var readFunction: UInt8 {
    switch self {
    case .coil: 1
    case .discrete: 2
    case .holding: 3
    case .input: 4
    }
  }

  /// The leading digit in Modicon notation.
  package var modiconDigit: Int {
    switch self {
    case .coil: 0
    case .discrete: 1
    case .input: 3
    case .holding: 4
    }
  }
}
