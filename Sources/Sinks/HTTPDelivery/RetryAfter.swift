public import Documents

/// The header `Retry-After` (RFC 9110, section 10.2.3).
public enum RetryAfter {
  /// The longest wait that a receiver can ask for.
  public static let longest = Duration.seconds(3_600)

  /// How long the receiver asks to be left alone; nil where `text` is neither a number of seconds nor a date. A date is
  /// compared with the receiver's own `Date` where it told one: a gateway's clock may be off. At most ``longest``.
  public static func delay(_ text: String, date: String?, now: Timestamp) -> Duration? {
    let text = text.trimmed
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return min(.seconds(Int64(text) ?? .max / 1_000_000_000), longest)
    }
    guard let until = time(text) else { return nil }
    let from = date.flatMap { time($0.trimmed) } ?? now
    return max(.zero, min(until - from, longest))
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// An HTTP date in any of the three forms that a recipient must take (RFC 9110, section 5.6.7).
  static func time(_ text: String) -> Timestamp? {
    let words = text.split { " ,-:".contains($0) }.map(String.init)
    let parts: (day: String, month: String, year: String, time: ArraySlice<String>)
    if words.count == 8, words[7] == "GMT" {
      parts = (words[1], words[2], words[3], words[4...6])
    } else if words.count == 7 {
      parts = (words[2], words[1], words[6], words[3...5])
    } else {
      return nil
    }
    guard let month = months.firstIndex(of: parts.month), let day = Int(parts.day), var year = Int(parts.year) else {
      return nil
    }
    // RFC 850 has two digits.
    if parts.year.utf8.count == 2 { year += year < 70 ? 2_000 : 1_900 }
    func padded(_ number: Int, _ width: Int = 2) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return Timestamp("\(padded(year, 4))-\(padded(month + 1))-\(padded(day))T\(parts.time.joined(separator: ":"))Z")
  }
}

extension String {
  /// Without the spaces and tabs at both ends.
  var trimmed: String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    var text = self[...].drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return String(text)
  }
}
