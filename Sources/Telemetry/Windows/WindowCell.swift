internal import DeviceKit

/// The running aggregates of one open window of one series: 64 bytes, a cache line, however many samples it has taken.
struct WindowCell: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// No window is open.
    case closed
    /// There is a window, without a sample.
    case empty
    /// All samples were integers: `sum` and `compensation` are the halves of a 128-bit integer.
    case integer
    case number
    /// Booleans, strings or objects, or a mixture with numbers: only count, first and last have a meaning.
    case other
  }

  /// Nanoseconds since 1970.
  var start: Int64 = 0
  /// The time at which something of the series may close next; `Int64.min` before its first sample. Of a series'
  /// newest window only.
  var closeAt: Int64 = .min
  /// Sum of the doubles, or the low half of the integers' sum.
  var sum: Double = 0
  /// What the doubles' sum lost to rounding, or the high half of the integers' sum.
  var compensation: Double = 0
  /// Payloads.
  var minimum: UInt64 = 0
  var maximum: UInt64 = 0
  var count: UInt32 = 0
  /// The window's place in ``WindowParts``; -1 where it has none.
  var part: Int32 = -1
  var kind = Kind.closed
  /// Raw value of the worst quality taken.
  var quality: UInt8 = 0
  /// Whether `minimum`, `maximum` are unsigned: above `Int64.max`.
  var minimumIsUnsigned = false
  var maximumIsUnsigned = false
  /// Whether a late sample has come since the window was put out.
  var isCorrected = false
}

extension WindowCell {
  var integerSum: Int128 {
    get { Int128(Int64(bitPattern: compensation.bitPattern)) << 64 | Int128(sum.bitPattern) }
    set {
      sum = Double(bitPattern: UInt64(truncatingIfNeeded: newValue))
      compensation = Double(bitPattern: UInt64(truncatingIfNeeded: newValue >> 64))
    }
  }

  /// Takes a double into a window of doubles: two-sum (Knuth, The Art of Computer Programming, 4.2.2) keeps what
  /// rounding loses.
  @inline(__always)
  mutating func add(_ value: Double, payload: UInt64, quality sampleQuality: UInt8) {
    let total = sum + value
    let part = total - sum
    compensation += (sum - (total - part)) + (value - part)
    sum = total
    minimum = value < Double(bitPattern: minimum) ? payload : minimum
    maximum = value > Double(bitPattern: maximum) ? payload : maximum
    count &+= 1
    quality = max(quality, sampleQuality)
  }

  /// Whether all that the window has taken are signed integers.
  var isSigned: Bool { kind == .integer && !minimumIsUnsigned && !maximumIsUnsigned }

  /// Takes a signed integer into a window that ``isSigned``.
  @inline(__always)
  mutating func add(signed value: Int64, quality sampleQuality: UInt8) {
    integerSum += Int128(value)
    minimum = value < Int64(bitPattern: minimum) ? UInt64(bitPattern: value) : minimum
    maximum = value > Int64(bitPattern: maximum) ? UInt64(bitPattern: value) : maximum
    count &+= 1
    quality = max(quality, sampleQuality)
  }

  /// Takes an integer into a window of integers.
  mutating func add(integer payload: UInt64, isUnsigned: Bool, quality sampleQuality: UInt8) {
    integerSum += Self.exact(payload, isUnsigned)
    if Self.exact(payload, isUnsigned) < Self.exact(minimum, minimumIsUnsigned) {
      (minimum, minimumIsUnsigned) = (payload, isUnsigned)
    }
    if Self.exact(payload, isUnsigned) > Self.exact(maximum, maximumIsUnsigned) {
      (maximum, maximumIsUnsigned) = (payload, isUnsigned)
    }
    count &+= 1
    quality = max(quality, sampleQuality)
  }

  /// Turns a window of integers into one of doubles.
  mutating func promote() {
    let (low, high) = (Double(Self.exact(minimum, minimumIsUnsigned)), Double(Self.exact(maximum, maximumIsUnsigned)))
    let total = integerSum.double
    (minimum, maximum) = (low.bitPattern, high.bitPattern)
    (minimumIsUnsigned, maximumIsUnsigned) = (false, false)
    (sum, compensation) = (total, 0)
    kind = .number
  }

  /// Begins a window without a sample.
  init(start: Int64, part: Int32) {
    self.start = start
    self.part = part
    kind = .empty
  }

  /// Takes a sample of any kind into the window.
  mutating func take(_ sampleKind: SampleKind, _ payload: UInt64, _ sampleQuality: Quality) {
    if count == 0 {
      quality = 0
      (sum, compensation) = (0, 0)
      (minimum, maximum) = (payload, payload)
      (minimumIsUnsigned, maximumIsUnsigned) = (sampleKind == .unsigned, sampleKind == .unsigned)
      switch sampleKind {
      case .integer, .unsigned: kind = .integer
      case .number: kind = .number
      case .none, .boolean, .side: kind = .other
      }
    }
    switch (sampleKind, kind) {
    case (.number, .number):
      add(Double(bitPattern: payload), payload: payload, quality: sampleQuality.rawValue)
    case (.integer, .integer), (.unsigned, .integer):
      add(integer: payload, isUnsigned: sampleKind == .unsigned, quality: sampleQuality.rawValue)
    case (.number, .integer):
      promote()
      add(Double(bitPattern: payload), payload: payload, quality: sampleQuality.rawValue)
    case (.integer, .number), (.unsigned, .number):
      let value = Double(Self.exact(payload, sampleKind == .unsigned))
      add(value, payload: value.bitPattern, quality: sampleQuality.rawValue)
    default:
      kind = .other
      count &+= 1
      quality = max(quality, sampleQuality.rawValue)
    }
  }

  /// Takes all that another window has taken.
  mutating func add(_ other: WindowCell) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      let (start, part, closeAt) = (start, part, closeAt)
      self = other
      (self.start, self.part, self.closeAt) = (start, part, closeAt)
      return
    }
    var other = other
    if kind == .integer, other.kind == .number { promote() }
    if kind == .number, other.kind == .integer { other.promote() }
    switch (kind, other.kind) {
    case (.integer, .integer):
      integerSum += other.integerSum
      if Self.exact(other.minimum, other.minimumIsUnsigned) < Self.exact(minimum, minimumIsUnsigned) {
        (minimum, minimumIsUnsigned) = (other.minimum, other.minimumIsUnsigned)
      }
      if Self.exact(other.maximum, other.maximumIsUnsigned) > Self.exact(maximum, maximumIsUnsigned) {
        (maximum, maximumIsUnsigned) = (other.maximum, other.maximumIsUnsigned)
      }
    case (.number, .number):
      var total = CompensatedSum(sum: sum, lost: compensation)
      total.add(CompensatedSum(sum: other.sum, lost: other.compensation))
      (sum, compensation) = (total.sum, total.lost)
      if Double(bitPattern: other.minimum) < Double(bitPattern: minimum) { minimum = other.minimum }
      if Double(bitPattern: other.maximum) > Double(bitPattern: maximum) { maximum = other.maximum }
    default: kind = .other
    }
    count &+= other.count
    quality = max(quality, other.quality)
  }

  private static func exact(_ payload: UInt64, _ isUnsigned: Bool) -> Int128 {
    isUnsigned ? Int128(payload) : Int128(Int64(bitPattern: payload))
  }
}
