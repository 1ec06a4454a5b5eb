/// A topic filter with the quality of service that it asks for (MQTT 3.1.1, section 4.7).
public struct TopicFilter: Sendable, Hashable, CustomStringConvertible {
  public let text: String
  /// 0, 1 or 2.
  public var qos: UInt8
  public let hasWildcards: Bool

  /// Throws where `text` is no filter: empty, longer than 65,535 bytes, with a NUL, or with `+` or `#` beside other
  /// characters of a level, or `#` before the last level.
  public init(_ text: String, qos: UInt8 = 1) throws(MQTTError) {
    if let problem = TopicFilter.problem(of: text) {
      throw MQTTError(.invalidMessage, "topic filter '\(text)': \(problem)")
    }
    self.text = text
    self.qos = min(qos, 2)
    hasWildcards = text.utf8.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
  }

  public var description: String { text }

  /// What is wrong with `text` as a filter; nil where nothing is.
  public static func problem(of text: String) -> String? {
    if text.isEmpty { return "it is empty" }
    if text.utf8.count > 65_535 { return "it is longer than 65,535 bytes" }
    if text.utf8.contains(0) { return "it contains a NUL character" }
    let levels = text.split(separator: "/", omittingEmptySubsequences: false)
    for (index, level) in levels.enumerated() {
      if level == "#", index != levels.count - 1 { return "'#' must be the last level" }
      if level.count > 1, level.contains("#") || level.contains("+") {
        return "'+' and '#' must stand alone between slashes"
      }
    }
    return nil
  }

  /// What is wrong with `text` as the topic of a message; nil where nothing is.
  public static func problem(ofTopic text: String) -> String? {
    if text.contains("+") || text.contains("#") { return "it contains the wildcard '+' or '#'" }
    return problem(of: text)
  }

  /// Whether a message on `topic` belongs to this filter.
  public func matches(_ topic: some StringProtocol) -> Bool { captures(of: topic) != nil }

  /// What each wildcard stands for in `topic`, in order (`#`: the rest with its slashes); nil where it does not match.
  public func captures(of topic: some StringProtocol) -> [String]? {
    guard hasWildcards else { return topic == text ? [] : nil }
    let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
    let pattern = text.split(separator: "/", omittingEmptySubsequences: false)
    if topic.hasPrefix("$"), pattern[0] == "+" || pattern[0] == "#" { return nil }
    var captures: [String] = []
    for (index, level) in pattern.enumerated() {
      if level == "#" {
        captures.append(levels.dropFirst(index).joined(separator: "/"))
        return captures
      }
      guard index < levels.count else { return nil }
      if level == "+" {
        captures.append(String(levels[index]))
      } else if level != levels[index] {
        return nil
      }
    }
    return levels.count == pattern.count ? captures : nil
  }

  /// Whether every topic that `other` matches is matched by this filter too.
  public func covers(_ other: TopicFilter) -> Bool {
    guard hasWildcards else { return text == other.text }
    let mine = text.split(separator: "/", omittingEmptySubsequences: false)
    let theirs = other.text.split(separator: "/", omittingEmptySubsequences: false)
    if other.text.hasPrefix("$"), mine[0] == "+" || mine[0] == "#" { return false }
    for (index, level) in mine.enumerated() {
      if level == "#" { return true }
      guard index < theirs.count else { return false }
      if theirs[index] == "#" { return false }
      if level != "+", level != theirs[index] { return false }
    }
    return mine.count == theirs.count
  }
}
