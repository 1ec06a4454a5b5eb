/// A point in wall-clock time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Timestamp: Sendable, Hashable, Comparable {
  public var nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  public init(milliseconds: Int64) { self.nanoseconds = milliseconds * 1_000_000 }
  public init(seconds: Int64) { self.nanoseconds = seconds * 1_000_000_000 }
  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
  /// Saturates at the ends of `Int64`, as the difference does: a time may come from a source that is not to be trusted.
  public static func + (left: Timestamp, right: Duration) -> Timestamp {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
    return Timestamp(nanoseconds: overflow ? (left.nanoseconds < 0 ? .min : .max) : sum)
  }
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
    return .nanoseconds(overflow ? (left.nanoseconds < 0 ? Int64.min : .max) : difference)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with whole seconds, as Kubernetes metadata carries it: `2026-11-21T04:07:00Z`.
  public var secondsText: String { text(fraction: 0) }

  /// RFC 3339 in UTC with milliseconds: `2026-11-21T04:07:00.123Z`.
  public var description: String { text(fraction: 3) }

  /// RFC 3339 in UTC with microseconds, as Kubernetes' MicroTime has it.
  public var microsecondsText: String { text(fraction: 6) }

  private func text(fraction digits: Int) -> String {
    let (wholeSeconds, rest) = nanoseconds.flooredDivision(by: 1_000_000_000)
    let (days, secondOfDay) = wholeSeconds.flooredDivision(by: 86_400)
    let date = CivilDate(daysSince1970: days)
    var text = "\(date.year.padded(4))-\(date.month.padded(2))-\(date.day.padded(2))T"
    text += "\((secondOfDay / 3_600).padded(2)):\((secondOfDay / 60 % 60).padded(2)):\((secondOfDay % 60).padded(2))"
    if digits > 0 {
      var unit: Int64 = 1
      for _ in digits..<9 { unit *= 10 }
      text += ".\((rest / unit).padded(digits))"
    }
    return text + "Z"
  }

  /// Reads RFC 3339 with any offset and fraction; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    func digits(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[range] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      return value
    }
    guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] | 0x20 == 0x74, bytes[13] == 0x3A,
      bytes[16] == 0x3A, let year = digits(0..<4), let month = digits(5..<7), let day = digits(8..<10),
      let hour = digits(11..<13), let minute = digits(14..<16), let second = digits(17..<19),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if bytes[index] == 0x2E {
      index += 1
      var unit: Int64 = 100_000_000
      let start = index
      while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
        fraction += Int64(bytes[index] - 0x30) * unit
        unit /= 10
        index += 1
      }
      guard index > start else { return nil }
    }
    guard index < bytes.count else { return nil }
    var offset: Int64 = 0
    if bytes[index] | 0x20 == 0x7A {
      index += 1
    } else {
      guard bytes[index] == 0x2B || bytes[index] == 0x2D, bytes.count == index + 6, bytes[index + 3] == 0x3A,
        let hours = digits(index + 1..<index + 3), let minutes = digits(index + 4..<index + 6)
      else { return nil }
      offset = (hours * 3_600 + minutes * 60) * (bytes[index] == 0x2D ? -1 : 1)
      index += 6
    }
    guard index == bytes.count else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSince1970
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return nil }
    self.nanoseconds = whole + fraction
  }
}

/// A day of the proleptic Gregorian calendar.
private struct CivilDate {
  var year: Int64
  var month: Int64
  var day: Int64
  init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  init(daysSince1970 days: Int64) {
    let shifted = days + 719_468
    let (era, dayOfEra) = shifted.flooredDivision(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var daysSince1970: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = shiftedYear.flooredDivision(by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

extension Int64 {
  fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  fileprivate func padded(_ width: Int) -> String {
    let text = description
    return String(repeating: "0", count: Swift.max(0, width - text.count)) + text
  }
}
