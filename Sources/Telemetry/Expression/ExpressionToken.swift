/// One word of a condition.
struct ExpressionToken {
  enum Kind {
    case number(Double)
    case name
    case symbol
    case end
  }
  var kind: Kind
  var text: String
  /// Counted in characters from 1.
  var column: Int

  /// The words of `text`, closed by one of kind `end`.
  static func tokens(of text: String) throws(ExpressionError) -> [ExpressionToken] {
    let characters = Array(text)
    var tokens: [ExpressionToken] = []
    var index = 0
    func isDigit(_ at: Int) -> Bool { at < characters.count && ("0"..."9").contains(characters[at]) }
    func isLetter(_ at: Int) -> Bool {
      at < characters.count
        && (("a"..."z").contains(characters[at]) || ("A"..."Z").contains(characters[at]) || characters[at] == "_")
    }
    while index < characters.count {
      let start = index
      let character = characters[index]
      if character == " " || character == "\t" || character == "\n" || character == "\r\n" {
        index += 1
        continue
      }
      if isDigit(index) || (character == "." && isDigit(index + 1)) {
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
        tokens.append(ExpressionToken(kind: .number(number), text: literal, column: start + 1))
        continue
      }
      if isLetter(index) {
        while isLetter(index) || isDigit(index) { index += 1 }
        tokens.append(ExpressionToken(kind: .name, text: String(characters[start..<index]), column: start + 1))
        continue
      }
      let pair = String(characters[index..<min(index + 2, characters.count)])
      if ["&&", "||", "==", "!=", "<=", ">="].contains(pair) {
        index += 2
        tokens.append(ExpressionToken(kind: .symbol, text: pair, column: start + 1))
      } else if "<>+-*/%!()".contains(character) {
        index += 1
        tokens.append(ExpressionToken(kind: .symbol, text: String(character), column: start + 1))
      } else {
        let hint = ["=": "; write ==", "&": "; write &&", "|": "; write ||"][character] ?? ""
        throw ExpressionError(message: "unexpected '\(character)'\(hint)", column: start + 1)
      }
    }
    tokens.append(ExpressionToken(kind: .end, text: "the end", column: characters.count + 1))
    return tokens
  }
}
