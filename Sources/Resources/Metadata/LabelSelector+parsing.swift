extension LabelSelector {
  /// Reads a selector as clients send it: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (x,y)`, `a notin (x)`, joined by
  /// commas. Throws 400 with the part that cannot be understood.
  public init(parsing text: String) throws(APIStatus) {
    var requirements: [Requirement] = []
    for part in Self.parts(of: text) {
      requirements.append(try Self.requirement(part))
    }
    self.init(requirements: requirements)
  }

  /// The selector as text that ``init(parsing:)`` reads back.
  public var text: String {
    requirements.map { requirement in
      switch requirement {
      case .exists(let key): key
      case .absent(let key): "!\(key)"
      case .isIn(let key, let values):
        values.count == 1 ? "\(key)=\(values[0])" : "\(key) in (\(values.joined(separator: ",")))"
      case .notIn(let key, let values):
        values.count == 1 ? "\(key)!=\(values[0])" : "\(key) notin (\(values.joined(separator: ",")))"
      }
    }.joined(separator: ",")
  }

  /// Splits at the commas outside parentheses; blank parts are left out.
  private static func parts(of text: String) -> [Substring] {
    var parts: [Substring] = []
    var start = text.startIndex
    var depth = 0
    for index in text.indices {
      switch text[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth == 0:
        parts.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    parts.append(text[start...])
    return parts.map { $0.trimmed }.filter { !$0.isEmpty }
  }

  private static func requirement(_ part: Substring) throws(APIStatus) -> Requirement {
    if part.hasSuffix(")"), let open = part.firstIndex(of: "(") {
      let words = part[..<open].split(separator: " ")
      guard words.count == 2, words[1] == "in" || words[1] == "notin" else { throw unreadable(part) }
      let key = try checked(key: words[0])
      var values: [String] = []
      for value in part[part.index(after: open)...].dropLast().split(separator: ",", omittingEmptySubsequences: false) {
        values.append(try checked(value: value.trimmed, of: part))
      }
      return words[1] == "in" ? .isIn(key, values) : .notIn(key, values)
    }
    if let sign = part.firstIndex(of: "=") {
      var before = part[..<sign]
      var after = part[part.index(after: sign)...]
      let isEqual = before.last != "!"
      if !isEqual { before = before.dropLast() }
      if isEqual, after.first == "=" { after = after.dropFirst() }
      let key = try checked(key: before.trimmed)
      let value = try checked(value: after.trimmed, of: part)
      return isEqual ? .isIn(key, [value]) : .notIn(key, [value])
    }
    if part.first == "!" { return .absent(try checked(key: part.dropFirst().trimmed)) }
    return .exists(try checked(key: part))
  }

  private static func unreadable(_ part: Substring) -> APIStatus {
    .badRequest(
      "unable to parse requirement: \"\(part)\": write key=value, key!=value, key, !key, key in (a,b) or key notin (a,b)"
    )
  }

  private static func checked(key: Substring) throws(APIStatus) -> String {
    if let fault = NameRule.fault(inLabelKey: String(key)) {
      throw .badRequest("unable to parse requirement: key: Invalid value: \"\(key)\": \(fault)")
    }
    return String(key)
  }

  private static func checked(value: Substring, of part: Substring) throws(APIStatus) -> String {
    if let fault = NameRule.fault(inLabelValue: String(value)) {
      throw .badRequest("unable to parse requirement: values: Invalid value: \"\(value)\": \(fault) (in \"\(part)\")")
    }
    return String(value)
  }
}

extension StringProtocol where SubSequence == Substring {
  /// Without blanks at both ends.
  var trimmed: Substring {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
