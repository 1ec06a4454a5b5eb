/// One word of an expression.
struct ExpressionToken {
  enum Kind {
    case number(Double)
    /// Letters, digits and `_`, and `-` between these, as properties are named.
    case name
    /// Without its quotes.
    case text
    case symbol
    case end
  }
  var kind: Kind
  var text: String
  /// Counted in characters from 1.
  var column: Int
}

/// Cuts an expression into its words.
struct ExpressionScanner {
  private let characters: [Character]
  private var index = 0

  init(_ text: String) { characters = Array(text) }

  /// The words, closed by one of kind `end`.
  mutating func tokens() throws(ExpressionError) -> [ExpressionToken] {
    var tokens: [ExpressionToken] = []
    while index < characters.count {
      let character = characters[index]
      if character.isWhitespace {
        index += 1
      } else if isDigit(index) || (character == "." && isDigit(index + 1)) {
        tokens.append(try number())
      } else if isLetter(index) {
        tokens.append(name())
      } else if character == "\"" || character == "'" {
        tokens.append(try quoted(character))
      } else {
        tokens.append(try symbol())
      }
    }
    tokens.append(ExpressionToken(kind: .end, text: "the end", column: characters.count + 1))
    return tokens
  }

  private func isDigit(_ at: Int) -> Bool { at < characters.count && ("0"..."9").contains(characters[at]) }

  private func isLetter(_ at: Int) -> Bool {
    at < characters.count
      && (("a"..."z").contains(characters[at]) || ("A"..."Z").contains(characters[at]) || characters[at] == "_")
  }

  private mutating func number() throws(ExpressionError) -> ExpressionToken {
    let start = index
    while isDigit(index) { index += 1 }
    if index < characters.count, characters[index] == "." {
      index += 1
      while isDigit(index) { index += 1 }
    }
    if index < characters.count, characters[index] == "e" || characters[index] == "E" {
      var after = index + 1
      if after < characters.count, characters[after] == "+" || characters[after] == "-" { after += 1 }
      if isDigit(after) {
        index = after
        while isDigit(index) { index += 1 }
      }
    }
    var literal = String(characters[start..<index])
    if literal.hasSuffix(".") { literal += "0" }
    guard !isLetter(index), let number = Double(literal), number.isFinite else {
      throw ExpressionError(message: "'\(literal)' is not a number", column: start + 1)
    }
    return ExpressionToken(kind: .number(number), text: literal, column: start + 1)
  }

  private mutating func name() -> ExpressionToken {
    let start = index
    while isLetter(index) || isDigit(index) || isJoint(index) { index += 1 }
    return ExpressionToken(kind: .name, text: String(characters[start..<index]), column: start + 1)
  }

  /// Whether the character joins two parts of a name: `inlet-temperature` is one, `a - b` and `a -b` are not.
  private func isJoint(_ at: Int) -> Bool {
    at < characters.count && characters[at] == "-" && (isLetter(at + 1) || isDigit(at + 1))
  }

  private mutating func quoted(_ quote: Character) throws(ExpressionError) -> ExpressionToken {
    let start = index
    index += 1
    guard let end = characters[index...].firstIndex(of: quote) else {
      throw ExpressionError(message: "the text that begins here has no end: close it with \(quote)", column: start + 1)
    }
    defer { index = end + 1 }
    return ExpressionToken(kind: .text, text: String(characters[index..<end]), column: start + 1)
  }

  private mutating func symbol() throws(ExpressionError) -> ExpressionToken {
    let start = index
    let pair = String(characters[index..<min(index + 2, characters.count)])
    if ["&&", "||", "==", "!=", "<=", ">="].contains(pair) {
      index += 2
      return ExpressionToken(kind: .symbol, text: pair, column: start + 1)
    }
    let character = characters[index]
    guard "<>+-*/%!(),".contains(character) else {
      let hint = ["=": "; write ==", "&": "; write &&", "|": "; write ||"][character] ?? ""
      throw ExpressionError(message: "unexpected '\(character)'\(hint)", column: start + 1)
    }
    index += 1
    return ExpressionToken(kind: .symbol, text: String(character), column: start + 1)
  }
}
