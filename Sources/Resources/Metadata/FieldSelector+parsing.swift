extension FieldSelector {
  /// Reads a selector as clients send it: `path=value`, `path==value`, `path!=value`, joined by commas; `\,`, `\=` and
  /// `\\` stand for themselves in a value. Throws 400 with the part that cannot be understood.
  public init(parsing text: String) throws(APIStatus) {
    var requirements: [Requirement] = []
    for part in Self.parts(of: text) where !part.isEmpty {
      guard let sign = part.firstIndex(of: "=") else {
        throw .badRequest(
          "invalid selector: \"\(text)\"; can't understand \"\(part)\": write path=value or path!=value")
      }
      var path = part[..<sign]
      var value = part[part.index(after: sign)...]
      let isEqual = path.last != "!"
      if !isEqual { path = path.dropLast() }
      if isEqual, value.first == "=" { value = value.dropFirst() }
      guard !path.trimmed.isEmpty else {
        throw .badRequest("invalid selector: \"\(text)\"; \"\(part)\" names no field")
      }
      requirements.append(
        Requirement(path: String(path.trimmed), value: try Self.unescaped(value, in: text), isEqual: isEqual))
    }
    self.init(requirements: requirements)
  }

  /// The selector as text that ``init(parsing:)`` reads back.
  public var text: String {
    requirements.map { requirement in
      var value = ""
      for character in requirement.value {
        if character == "," || character == "=" || character == "\\" { value.append("\\") }
        value.append(character)
      }
      return "\(requirement.path)\(requirement.isEqual ? "=" : "!=")\(value)"
    }.joined(separator: ",")
  }

  private static func parts(of text: String) -> [Substring] {
    var parts: [Substring] = []
    var start = text.startIndex
    var isEscaped = false
    for index in text.indices {
      if isEscaped {
        isEscaped = false
      } else if text[index] == "\\" {
        isEscaped = true
      } else if text[index] == "," {
        parts.append(text[start..<index])
        start = text.index(after: index)
      }
    }
    parts.append(text[start...])
    return parts
  }

  private static func unescaped(_ value: Substring, in text: String) throws(APIStatus) -> String {
    var result = ""
    var isEscaped = false
    for character in value {
      if isEscaped {
        guard character == "," || character == "=" || character == "\\" else {
          throw .badRequest("invalid field selector: \"\(text)\": invalid escape \"\\\(character)\"")
        }
        result.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    guard !isEscaped else { throw .badRequest("invalid field selector: \"\(text)\": it ends in an escape") }
    return result
  }
}
