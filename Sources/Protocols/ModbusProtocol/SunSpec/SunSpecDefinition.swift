/// A model of the SunSpec information models: which points lie one after the other behind its ID and length.
package struct SunSpecDefinition: Sendable, Hashable {
  package var id: UInt16
  /// The word that begins the names of its properties. Models of one purpose share it: `inverter` is that of 101 to 103
  /// and 111 to 113.
  package var word: String
  /// The period of reading, as manifests write it.
  package var period: String
  package var body: SunSpecGroup
}

/// Points that follow each other, and the groups behind them.
package struct SunSpecGroup: Sendable, Hashable {
  package enum Count: Sendable, Hashable {
    case fixed(Int)
    /// The value of the model's point of this name.
    case point(String)
    /// Until the model ends.
    case fill
  }
  package var name: String
  package var count: Count
  package var points: [SunSpecPoint] = []
  package var groups: [SunSpecGroup] = []

  /// How many registers its own points take.
  package var pointRegisters: Int { points.reduce(0) { $0 + $1.registers } }
}

/// A point of a model.
package struct SunSpecPoint: Sendable, Hashable {
  package enum Scale: Sendable, Hashable {
    /// The power of ten that the point of this name holds.
    case point(String)
    case power(Int)
  }
  package struct Symbol: Sendable, Hashable {
    package var value: Int
    package var name: String
  }
  package var name: String
  package var type: SunSpecType
  package var registers: Int
  package var unit = ""
  package var scale: Scale?
  package var isWritable = false
  package var isStatic = false
  package var isSummary = false
  /// What an enumeration's numbers, or a bit field's bits, are called.
  package var symbols: [Symbol] = []
}

/// How a point lies in registers (SunSpec Device Information Model Specification, section 5.3).
package enum SunSpecType: String, Sendable, Hashable, CaseIterable {
  case u16, s16, u32, s32, u64, s64
  case a16, a32, a64
  case e16, e32
  case b16, b32
  case f32, f64
  case str, cnt, sf, pad

  /// Nil where the point says it.
  var registers: Int? {
    switch self {
    case .u16, .s16, .a16, .e16, .b16, .cnt, .sf: 1
    case .u32, .s32, .a32, .e32, .b32, .f32: 2
    case .u64, .s64, .a64, .f64: 4
    case .str, .pad: nil
    }
  }

  /// The encoding's name in a model; nil for what is no value of the device.
  var encoding: RegisterEncoding? {
    switch self {
    case .u16, .a16, .e16, .b16, .cnt: .uint16
    case .s16: .int16
    case .u32, .a32, .e32, .b32: .uint32
    case .s32: .int32
    case .u64, .a64: .uint64
    case .s64: .int64
    case .f32: .float32
    case .f64: .float64
    case .str: .string
    case .sf, .pad: nil
    }
  }

  var isAccumulator: Bool { self == .a16 || self == .a32 || self == .a64 }
  var isEnumeration: Bool { self == .e16 || self == .e32 }
  var isBitField: Bool { self == .b16 || self == .b32 }
  var isFloat: Bool { self == .f32 || self == .f64 }
}
