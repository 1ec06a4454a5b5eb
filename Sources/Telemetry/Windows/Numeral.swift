internal import DeviceKit

/// A number as a sample or a record's field has it: integers stay exact over both 64-bit ranges. A boolean counts as 0
/// or 1.
struct Numeral: BitwiseCopyable, Hashable {
  var payload: UInt64 = 0
  /// `.integer`, `.unsigned`, `.number`, or `.none` where there is none.
  var kind = SampleKind.none

  static let absent = Numeral()

  private init(_ kind: SampleKind, _ payload: UInt64) {
    self.kind = kind
    self.payload = payload
  }

  init() {}

  /// The number that a sample holds; absent where it holds none.
  init(kind: SampleKind, payload: UInt64) {
    switch kind {
    case .integer, .unsigned, .number: self.init(kind, payload)
    case .boolean: self.init(.integer, payload == 0 ? 0 : 1)
    case .none, .side: self.init()
    }
  }

  /// An integer; beyond 64 bits the nearest double.
  init(exact value: Int128) {
    if let small = Int64(exactly: value) {
      self.init(.integer, UInt64(bitPattern: small))
    } else if let large = UInt64(exactly: value) {
      self.init(.unsigned, large)
    } else {
      self.init(.number, value.double.bitPattern)
    }
  }

  /// A double; absent where it is not finite.
  init(finite value: Double) {
    if value.isFinite { self.init(.number, value.bitPattern) } else { self.init() }
  }

  var isAbsent: Bool { kind == .none }

  /// Nil for doubles and for none.
  var exact: Int128? {
    switch kind {
    case .integer: Int128(Int64(bitPattern: payload))
    case .unsigned: Int128(payload)
    default: nil
    }
  }

  /// Zero for none.
  var double: Double {
    switch kind {
    case .integer: Double(Int64(bitPattern: payload))
    case .unsigned: Double(payload)
    case .number: Double(bitPattern: payload)
    default: 0
    }
  }

  /// The difference to an earlier number, exact between integers.
  func minus(_ earlier: Numeral) -> Numeral {
    if let mine = exact, let other = earlier.exact { return Numeral(exact: mine - other) }
    return Numeral(finite: double - earlier.double)
  }
}

extension Int128 {
  /// The nearest double. The library's own conversion goes digit by digit through generic code.
  var double: Double {
    let low = Int64(truncatingIfNeeded: self)
    return Int128(low) == self ? Double(low) : Double(self)
  }
}

/// A sum of doubles that keeps what rounding loses (Knuth, The Art of Computer Programming, 4.2.2).
struct CompensatedSum: BitwiseCopyable {
  var sum = 0.0
  var lost = 0.0
  var value: Double { sum + lost }

  mutating func add(_ term: Double) {
    let total = sum + term
    let part = total - sum
    lost += (sum - (total - part)) + (term - part)
    sum = total
  }

  mutating func add(_ other: CompensatedSum) {
    add(other.sum)
    lost += other.lost
  }
}
