internal import Documents

/// Why a text is no rule.
package struct UdevRuleError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Counted from 0.
  package var rule: Int
  /// Counted from 1, in characters.
  package var column: Int
  package var message: String
  package var description: String { "rules[\(rule)], column \(column): \(message)" }
}

extension UdevRule {
  /// What a rule may compare.
  private static let allowed =
    "allowed: KERNEL, SUBSYSTEM, DRIVER, DEVPATH, TAG, ATTR{name}, ENV{name} and, of the device or one ancestor, KERNELS, SUBSYSTEMS, DRIVERS, TAGS, ATTRS{name}"

  /// Reads the rule at `index` of its list: `FIELD OP "value"` between commas.
  package init(_ text: String, at index: Int = 0) throws(UdevRuleError) {
    var parser = Parser(text: Array(text), rule: index)
    comparisons = try parser.comparisons()
  }

  private struct Parser {
    let text: [Character]
    let rule: Int
    var position = 0

    init(text: [Character], rule: Int) {
      self.text = text
      self.rule = rule
    }

    func error(_ message: String, at column: Int? = nil) -> UdevRuleError {
      UdevRuleError(rule: rule, column: (column ?? position) + 1, message: message)
    }

    var current: Character? { position < text.count ? text[position] : nil }

    mutating func skipSpaces() {
      while let character = current, character.isWhitespace { position += 1 }
    }

    mutating func comparisons() throws(UdevRuleError) -> [Comparison] {
      var comparisons: [Comparison] = []
      skipSpaces()
      if current == nil { throw error("the rule is empty and would match every device; \(UdevRule.allowed)") }
      while true {
        comparisons.append(try comparison())
        skipSpaces()
        guard let next = current else { return comparisons }
        guard next == "," else { throw error("expected ',' or the end, not '\(next)'") }
        position += 1
        skipSpaces()
        if current == nil { throw error("expected another comparison after ','") }
      }
    }

    mutating func comparison() throws(UdevRuleError) -> Comparison {
      skipSpaces()
      let field = try field()
      skipSpaces()
      let start = position
      var sign = ""
      while let character = current, "=!+-:<>~".contains(character) {
        sign.append(character)
        position += 1
      }
      guard sign == "==" || sign == "!=" else {
        throw error(sign.isEmpty ? "expected == or !=" : "'\(sign)' is no comparison; use == or !=", at: start)
      }
      skipSpaces()
      let valueStart = position
      let pattern = try value()
      if let problem = Glob.problem(of: pattern) { throw error("\"\(pattern)\": \(problem)", at: valueStart) }
      return Comparison(field: field, isEqual: sign == "==", pattern: pattern, glob: Glob(pattern))
    }

    mutating func value() throws(UdevRuleError) -> String {
      guard current == "\"" else { throw error("expected a value in double quotes") }
      let start = position
      position += 1
      var value = ""
      while let character = current {
        position += 1
        if character == "\"" { return value }
        if character == "\\", current == "\"" {
          value.append("\"")
          position += 1
        } else {
          value.append(character)
        }
      }
      throw error("the value has no closing quote", at: start)
    }

    mutating func field() throws(UdevRuleError) -> Field {
      let start = position
      var name = ""
      while let character = current, character.isASCII, character.isLetter || character == "_" {
        name.append(character)
        position += 1
      }
      if name.isEmpty { throw error("expected a field; \(UdevRule.allowed)") }
      var key: String?
      if current == "{" {
        position += 1
        var text = ""
        while let character = current, character != "}" {
          text.append(character)
          position += 1
        }
        guard current == "}" else { throw error("'{' without '}'", at: start + name.count) }
        position += 1
        key = text
      }
      let plain: [String: Field] = [
        "KERNEL": .kernel, "SUBSYSTEM": .subsystem, "DRIVER": .driver, "DEVPATH": .devpath, "TAG": .tag,
        "KERNELS": .kernels, "SUBSYSTEMS": .subsystems, "DRIVERS": .drivers, "TAGS": .tags,
      ]
      if let field = plain[name] {
        guard key == nil else { throw error("\(name) takes no {name}", at: start) }
        return field
      }
      guard ["ATTR", "ATTRS", "ENV"].contains(name) else {
        let hint = plain[name.uppercased()] != nil ? "; fields are written in capitals" : ""
        throw error("'\(name)' is not a field that can be compared\(hint); \(UdevRule.allowed)", at: start)
      }
      guard let key, !key.isEmpty else { throw error("\(name) needs a name in braces, \(name){name}", at: start) }
      if key.split(separator: "/", omittingEmptySubsequences: false).contains("..") || key.hasPrefix("/") {
        throw error("the name in braces must stay within the device's folder", at: start)
      }
      return name == "ENV" ? .environment(key) : name == "ATTR" ? .attribute(key) : .attributes(key)
    }
  }
}
