/// A shell pattern as udev rules use it: `*`, `?`, `[a-z]`, `[!a-z]`, and `|` between alternatives.
struct Glob: Sendable, Hashable {
  private let alternatives: [[UInt8]]

  init(_ pattern: String) {
    alternatives = pattern.split(separator: "|", omittingEmptySubsequences: false).map { Array($0.utf8) }
  }

  /// What is wrong with `pattern`; nil where nothing is.
  static func problem(of pattern: String) -> String? {
    for alternative in pattern.split(separator: "|", omittingEmptySubsequences: false) {
      var rest = Array(alternative.utf8)[...]
      while let open = rest.firstIndex(of: UInt8(ascii: "[")) {
        // A ']' right after the bracket or its '!' stands for itself.
        var search = open + 1
        if search < rest.endIndex, rest[search] == UInt8(ascii: "!") { search += 1 }
        guard search < rest.endIndex, let close = rest[(search + 1)...].firstIndex(of: UInt8(ascii: "]")) else {
          return "'[' without ']'"
        }
        rest = rest[(close + 1)...]
      }
    }
    return nil
  }

  func matches(_ text: String) -> Bool {
    let text = Array(text.utf8)
    return alternatives.contains { Glob.matches($0[...], text[...]) }
  }

  private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var (pattern, text) = (pattern, text)
    // Where to go on when a literal fails after a star: one more byte for the star.
    var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
      if pattern.first == UInt8(ascii: "*") {
        pattern = pattern.dropFirst()
        retry = (pattern, text)
        continue
      }
      if pattern.isEmpty, text.isEmpty { return true }
      if let byte = text.first, let rest = step(pattern, byte) {
        pattern = rest
        text = text.dropFirst()
        continue
      }
      guard let last = retry, !last.text.isEmpty else { return false }
      retry = (last.pattern, last.text.dropFirst())
      (pattern, text) = (last.pattern, last.text.dropFirst())
    }
  }

  /// The rest of `pattern` after its first element has taken `byte`; nil where it does not.
  private static func step(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
    guard let first = pattern.first else { return nil }
    switch first {
    case UInt8(ascii: "?"): return pattern.dropFirst()
    case UInt8(ascii: "["):
      var index = pattern.startIndex + 1
      let isNegated = index < pattern.endIndex && pattern[index] == UInt8(ascii: "!")
      if isNegated { index += 1 }
      let start = index
      var isMember = false
      while index < pattern.endIndex, pattern[index] != UInt8(ascii: "]") || index == start {
        if index + 2 < pattern.endIndex, pattern[index + 1] == UInt8(ascii: "-"),
          pattern[index + 2] != UInt8(ascii: "]")
        {
          if pattern[index] <= byte, byte <= pattern[index + 2] { isMember = true }
          index += 3
        } else {
          if pattern[index] == byte { isMember = true }
          index += 1
        }
      }
      return isMember != isNegated ? pattern[min(index + 1, pattern.endIndex)...] : nil
    default: return first == byte ? pattern.dropFirst() : nil
    }
  }
}
