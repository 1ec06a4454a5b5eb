/// A shell-style pattern over a whole text (fnmatch(3) without special cases for `/` or a leading dot): `*`, `?`,
/// `[a-z]`, `[!a-z]`, and alternatives separated by `|`.
public struct Glob: Sendable, Hashable {
  fileprivate enum Token: Sendable, Hashable {
    case literal(UInt8)
    case anyOne
    case anyRun
    case oneOf([ClosedRange<UInt8>], isNegated: Bool)
  }
  private let alternatives: [[Token]]
  public let pattern: String

  /// Every text is a pattern: a `[` without its `]` stands for itself.
  public init(_ pattern: String) {
    self.pattern = pattern
    alternatives = pattern.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
      .map { Glob.tokens(Array($0)) }
  }

  /// What is wrong with `pattern` for a reader that takes no `[` without its `]`; nil where nothing is.
  public static func problem(of pattern: String) -> String? {
    let open = Token.literal(UInt8(ascii: "["))
    return Glob(pattern).alternatives.contains { $0.contains(open) } ? "'[' without ']'" : nil
  }

  private static func tokens(_ bytes: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "*"): if tokens.last != .anyRun { tokens.append(.anyRun) }
      case UInt8(ascii: "?"): tokens.append(.anyOne)
      case UInt8(ascii: "["):
        if let (token, end) = bracket(bytes, from: index + 1) {
          tokens.append(token)
          index = end
        } else {
          tokens.append(.literal(bytes[index]))
        }
      default: tokens.append(.literal(bytes[index]))
      }
      index += 1
    }
    return tokens
  }

  private static func bracket(_ bytes: [UInt8], from start: Int) -> (Token, end: Int)? {
    var index = start
    let isNegated = index < bytes.count && (bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "^"))
    if isNegated { index += 1 }
    var ranges: [ClosedRange<UInt8>] = []
    while index < bytes.count, bytes[index] != UInt8(ascii: "]") || ranges.isEmpty {
      let low = bytes[index]
      if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "-"), bytes[index + 2] != UInt8(ascii: "]"),
        bytes[index + 2] >= low
      {
        ranges.append(low...bytes[index + 2])
        index += 3
      } else {
        ranges.append(low...low)
        index += 1
      }
    }
    return index < bytes.count ? (.oneOf(ranges, isNegated: isNegated), index) : nil
  }

  /// Whether the whole of `text` matches. Linear in its length times the number of stars.
  public func matches(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return alternatives.contains { Glob.matches($0, bytes) }
  }

  private static func matches(_ tokens: [Token], _ bytes: [UInt8]) -> Bool {
    var token = 0
    var index = 0
    var retry: (token: Int, index: Int)?
    while index < bytes.count {
      if token < tokens.count {
        if case .anyRun = tokens[token] {
          retry = (token, index)
          token += 1
          continue
        }
        if tokens[token].takes(bytes[index]) {
          token += 1
          index += 1
          continue
        }
      }
      guard let last = retry else { return false }
      retry = (last.token, last.index + 1)
      token = last.token + 1
      index = last.index + 1
    }
    return tokens[token...].allSatisfy { $0 == .anyRun }
  }
}

extension Glob.Token {
  fileprivate func takes(_ byte: UInt8) -> Bool {
    switch self {
    case .literal(let literal): literal == byte
    case .anyOne, .anyRun: true
    case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(byte) } != isNegated
    }
  }
}
