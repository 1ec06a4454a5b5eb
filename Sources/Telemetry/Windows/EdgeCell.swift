internal import DeviceKit

/// The first and the last sample of a window in source time; of equal times the earlier arrival is first, the later
/// last.
struct EdgeCell: BitwiseCopyable {
  var firstTime: Int64 = 0
  var lastTime: Int64 = 0
  /// Payloads; for strings and objects a place in ``SideShelf``.
  var first: UInt64 = 0
  var last: UInt64 = 0
  var firstKind = SampleKind.none
  var lastKind = SampleKind.none
}

/// Keeps the strings and objects that windows hold as first or last.
struct SideShelf {
  private var values: [Value?] = []
  private var free: [Int] = []

  mutating func put(_ value: Value) -> UInt64 {
    if let place = free.popLast() {
      values[place] = value
      return UInt64(place)
    }
    values.append(value)
    return UInt64(values.count - 1)
  }

  mutating func take(_ place: UInt64) -> Value? {
    defer {
      values[Int(place)] = nil
      free.append(Int(place))
    }
    return values[Int(place)]
  }

  /// The payload under which a value is kept: its own, or its place here.
  mutating func keep(_ value: Value) -> UInt64 { value.isSide ? put(value) : value.payload }

  /// How many values are kept.
  var count: Int { values.count - free.count }

  func value(at place: UInt64) -> Value? { values[Int(place)] }
}
