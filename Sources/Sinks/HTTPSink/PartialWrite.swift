/// What InfluxDB says when it has written a part of a batch: `partial write: … dropped=2` with status 400 or 422.
enum PartialWrite {
  /// How many points were dropped; nil where `text` does not speak of a partial write. Lines that could not be read are
  /// not in InfluxDB 1's own number, and are counted by their messages.
  static func dropped(_ text: String) -> Int? {
    guard text.contains("partial write") else { return nil }
    let told = text.split(separator: "=")
    var dropped = 0
    var previous: Substring = ""
    for piece in told {
      if previous.hasSuffix("dropped") { dropped += Int(piece.prefix { $0.isNumber }) ?? 0 }
      previous = piece
    }
    return max(1, dropped, unreadable(text))
  }

  private static func unreadable(_ text: String) -> Int {
    let pattern = Array("unable to parse".utf8)
    let bytes = Array(text.utf8)
    guard bytes.count >= pattern.count else { return 0 }
    return (0...bytes.count - pattern.count).count { bytes[$0...].starts(with: pattern) }
  }
}
