/// Cuts the text of a CEL expression into tokens (github.com/google/cel-spec, langdef, section Syntax).
struct RuleLexer {
  private let scalars: [UnicodeScalar]
  private var position = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  mutating func tokens() throws(RuleError) -> [RuleToken] {
    var tokens: [RuleToken] = []
    while true {
      skipBlanks()
      let column = position + 1
      guard let scalar = current else {
        tokens.append(RuleToken(kind: .end, column: column))
        return tokens
      }
      tokens.append(RuleToken(kind: try token(scalar), column: column))
    }
  }

  private var current: UnicodeScalar? { position < scalars.count ? scalars[position] : nil }
  private func peek(_ offset: Int) -> UnicodeScalar? {
    position + offset < scalars.count ? scalars[position + offset] : nil
  }
  private func failure(_ message: String) -> RuleError { RuleError("\(message) at character \(position + 1)") }

  private mutating func skipBlanks() {
    while let scalar = current {
      if scalar == "/", peek(1) == "/" {
        while position < scalars.count, scalars[position] != "\n" { position += 1 }
      } else if [" ", "\t", "\n", "\r", "\u{0C}"].contains(scalar) {
        position += 1
      } else {
        return
      }
    }
  }

  private mutating func token(_ scalar: UnicodeScalar) throws(RuleError) -> RuleToken.Kind {
    if Self.isDigit(scalar) || (scalar == "." && peek(1).map(Self.isDigit) == true) { return .literal(try number()) }
    if scalar == "\"" || scalar == "'" { return .literal(.string(try string(isRaw: false))) }
    if scalar == "r" || scalar == "R", let next = peek(1), next == "\"" || next == "'" {
      position += 1
      return .literal(.string(try string(isRaw: true)))
    }
    if Self.isLetter(scalar) {
      let start = position
      while let next = current, Self.isLetter(next) || Self.isDigit(next) { position += 1 }
      let name = text(start, position)
      switch name {
      case "true": return .literal(.bool(true))
      case "false": return .literal(.bool(false))
      case "null": return .literal(.null)
      case "in": return .sign("in")
      default:
        guard !RuleIdentifier.reserved.contains(name) else { throw failure("the word \(name) is reserved") }
        return .name(name)
      }
    }
    for sign in ["&&", "||", "==", "!=", "<=", ">="] where text(position, min(position + 2, scalars.count)) == sign {
      position += 2
      return .sign(sign)
    }
    guard "+-*/%!<>?:.,()[]{}".unicodeScalars.contains(scalar) else { throw failure("unexpected '\(scalar)'") }
    position += 1
    return .sign(String(scalar))
  }

  private mutating func number() throws(RuleError) -> RuleLiteral {
    let start = position
    if current == "0", peek(1) == "x" || peek(1) == "X" {
      position += 2
      let digits = position
      while let next = current, next.properties.isASCIIHexDigit { position += 1 }
      return try integer(text(digits, position), radix: 16)
    }
    var isDouble = false
    while let next = current, Self.isDigit(next) { position += 1 }
    if current == ".", let next = peek(1), Self.isDigit(next) {
      isDouble = true
      position += 1
      while let next = current, Self.isDigit(next) { position += 1 }
    }
    if current == "e" || current == "E" {
      let sign = peek(1) == "+" || peek(1) == "-" ? 1 : 0
      if let next = peek(1 + sign), Self.isDigit(next) {
        isDouble = true
        position += 1 + sign
        while let next = current, Self.isDigit(next) { position += 1 }
      }
    }
    let text = text(start, position)
    guard isDouble else { return try integer(text, radix: 10) }
    guard let value = Double(text) else { throw failure("bad number \(text)") }
    return .double(value)
  }

  private mutating func integer(_ digits: String, radix: Int) throws(RuleError) -> RuleLiteral {
    if current == "u" || current == "U" {
      position += 1
      guard let value = UInt64(digits, radix: radix) else { throw failure("bad number \(digits)u") }
      return .uint(value)
    }
    guard let value = Int64(digits, radix: radix) else { throw failure("bad number \(digits)") }
    return .int(value)
  }

  private mutating func string(isRaw: Bool) throws(RuleError) -> String {
    let quote = current!
    let isTriple = peek(1) == quote && peek(2) == quote
    let length = isTriple ? 3 : 1
    position += length
    var result = ""
    while let scalar = current {
      if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
        position += length
        return result
      }
      if scalar == "\n", !isTriple { break }
      if scalar == "\\", !isRaw {
        position += 1
        result.unicodeScalars.append(try escape())
      } else {
        result.unicodeScalars.append(scalar)
        position += 1
      }
    }
    throw failure("string without an end")
  }

  private mutating func escape() throws(RuleError) -> UnicodeScalar {
    guard let scalar = current else { throw failure("string without an end") }
    position += 1
    switch scalar {
    case "n": return "\n"
    case "t": return "\t"
    case "r": return "\r"
    case "a": return "\u{07}"
    case "b": return "\u{08}"
    case "f": return "\u{0C}"
    case "v": return "\u{0B}"
    case "\\", "\"", "'", "`", "?": return scalar
    case "x", "X": return try code(digits: 2, radix: 16)
    case "u": return try code(digits: 4, radix: 16)
    case "U": return try code(digits: 8, radix: 16)
    case "0"..."3":
      position -= 1
      return try code(digits: 3, radix: 8)
    default: throw failure("bad escape \\\(scalar)")
    }
  }

  private mutating func code(digits: Int, radix: Int) throws(RuleError) -> UnicodeScalar {
    guard position + digits <= scalars.count, let code = UInt32(text(position, position + digits), radix: radix),
      let scalar = UnicodeScalar(code)
    else { throw failure("bad escape") }
    position += digits
    return scalar
  }

  private func text(_ start: Int, _ end: Int) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars[start..<end])
    return text
  }

  private static func isDigit(_ scalar: UnicodeScalar) -> Bool { ("0"..."9").contains(scalar) }
  private static func isLetter(_ scalar: UnicodeScalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
  }
}
