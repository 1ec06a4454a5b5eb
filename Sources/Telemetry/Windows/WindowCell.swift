internal import DeviceKit

/// The running aggregates of one open window of one series: 64 bytes, a cache line, however many samples it has taken.
struct WindowCell: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// No window is open.
    case closed
    /// All samples were integers: `sum` and `compensation` are the halves of a 128-bit integer.
    case integer
    case number
    /// Booleans, strings or objects, or a mixture with numbers: only count, first and last have a meaning.
    case other
  }

  /// Nanoseconds since 1970.
  var start: Int64 = 0
  /// The source time at which something of the series may close next; `Int64.min` before its first sample.
  var closeAt: Int64 = .min
  /// Gateway time minus source time of the sample that opened the window.
  var skew: Int64 = 0
  /// Sum of the doubles, or the low half of the integers' sum.
  var sum: Double = 0
  /// What the doubles' sum lost to rounding, or the high half of the integers' sum.
  var compensation: Double = 0
  /// Payloads.
  var minimum: UInt64 = 0
  var maximum: UInt64 = 0
  var count: UInt32 = 0
  var kind = Kind.closed
  /// Raw value of the worst quality taken.
  var quality: UInt8 = 0
  /// Whether `minimum`, `maximum` are unsigned: above `Int64.max`.
  var minimumIsUnsigned = false
  var maximumIsUnsigned = false
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
    let total = Double(integerSum)
    (minimum, maximum) = (low.bitPattern, high.bitPattern)
    (minimumIsUnsigned, maximumIsUnsigned) = (false, false)
    (sum, compensation) = (total, 0)
    kind = .number
  }

  /// Takes a sample of any kind into the window, which it opens if it is its first.
  mutating func take(_ sampleKind: SampleKind, _ payload: UInt64, _ sampleQuality: Quality, isFirst: Bool) {
    if isFirst {
      (count, quality) = (0, 0)
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

  private static func exact(_ payload: UInt64, _ isUnsigned: Bool) -> Int128 {
    isUnsigned ? Int128(payload) : Int128(Int64(bitPattern: payload))
  }
}
