/// A pattern over a whole name in which `*` stands for any number of characters and `?` for one.
public struct Glob: Sendable, Hashable {
  public let pattern: String
  private let bytes: [UInt8]

  public init(_ pattern: String) {
    self.pattern = pattern
    bytes = Array(pattern.utf8)
  }

  /// Whether the whole of `name` fits. Takes at most `pattern × name` steps.
  public func matches(_ name: String) -> Bool {
    let text = Array(name.utf8)
    var (at, position) = (0, 0)
    var (star, resume) = (-1, 0)
    while position < text.count {
      if at < bytes.count, bytes[at] == UInt8(ascii: "*") {
        (star, resume) = (at, position)
        at += 1
      } else if at < bytes.count, bytes[at] == UInt8(ascii: "?") || bytes[at] == text[position] {
        at += 1
        position += 1
      } else if star >= 0 {
        at = star + 1
        resume += 1
        position = resume
      } else {
        return false
      }
    }
    while at < bytes.count, bytes[at] == UInt8(ascii: "*") { at += 1 }
    return at == bytes.count
  }
}
