internal import Documents

/// Writes values in YAML's block style.
struct BlockEmitter {
  private(set) var output = ""

  mutating func write(_ value: JSONValue) {
    switch value {
    case .object(let members) where !members.isEmpty: write(members, indent: 0, isTop: true, continuesLine: false)
    case .array(let elements) where !elements.isEmpty: write(elements, indent: 0)
    default: output += inline(value, indent: 2) + "\n"
    }
  }

  private static let leading = ["apiVersion", "kind", "metadata", "spec", "status"]

  private mutating func write(_ members: [String: JSONValue], indent: Int, isTop: Bool, continuesLine: Bool) {
    var keys = members.keys.sorted()
    if isTop { keys = Self.leading.filter { members[$0] != nil } + keys.filter { !Self.leading.contains($0) } }
    for (position, key) in keys.enumerated() {
      if position > 0 || !continuesLine { pad(indent) }
      output += (Self.isPlain(key) ? key : Self.quoted(key)) + ":"
      switch members[key]! {
      case .object(let inner) where !inner.isEmpty:
        output += "\n"
        write(inner, indent: indent + 2, isTop: false, continuesLine: false)
      case .array(let elements) where !elements.isEmpty:
        output += "\n"
        write(elements, indent: indent)
      case let other: output += " " + inline(other, indent: indent + 2) + "\n"
      }
    }
  }

  private mutating func write(_ elements: [JSONValue], indent: Int) {
    for element in elements {
      pad(indent)
      output += "- "
      switch element {
      case .object(let inner) where !inner.isEmpty:
        write(inner, indent: indent + 2, isTop: false, continuesLine: true)
      case .array(let inner) where !inner.isEmpty:
        output.removeLast()
        output += "\n"
        write(inner, indent: indent + 2)
      default: output += inline(element, indent: indent + 2) + "\n"
      }
    }
  }

  private mutating func pad(_ count: Int) { output += String(repeating: " ", count: count) }

  /// The text of a scalar or of an empty collection.
  private func inline(_ value: JSONValue, indent: Int) -> String {
    guard case .string(let text) = value else { return value.description }
    if Self.isPlain(text) { return text }
    return literal(text, indent: indent) ?? Self.quoted(text)
  }

  /// A block literal for text of several lines; nil where only quotes can carry it.
  private func literal(_ text: String, indent: Int) -> String? {
    guard text.contains("\n"), text.unicodeScalars.allSatisfy({ $0 == "\n" || Self.isPrintable($0) }) else {
      return nil
    }
    let endsLine = text.hasSuffix("\n")
    let lines = (endsLine ? String(text.dropLast()) : text).split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, let last = lines.last, !first.isEmpty, first.first != " ", !last.isEmpty,
      lines.allSatisfy({ $0.isEmpty || $0.contains { $0 != " " } })
    else { return nil }
    let margin = String(repeating: " ", count: indent)
    return (endsLine ? "|" : "|-") + lines.map { $0.isEmpty ? "\n" : "\n\(margin)\($0)" }.joined()
  }

  static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    // JSON leaves DEL, C1 controls, byte order marks and line separators bare, which YAML does not allow or folds.
    var plain = ""
    func flush() {
      JSONValue.write(string: plain, to: &bytes)
      plain = ""
    }
    guard !text.unicodeScalars.allSatisfy({ $0.value < 0x20 || isPrintable($0) }) else {
      JSONValue.write(string: text, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    var output = "\""
    for scalar in text.unicodeScalars {
      if isPrintable(scalar) || scalar.value < 0x20 {
        plain = String(scalar)
        flush()
        output += String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
        bytes = []
      } else {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        output += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      }
    }
    return output + "\""
  }

  private static func isPrintable(_ scalar: UnicodeScalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...: true
    default: false
    }
  }

  /// Whether every YAML reader, of version 1.1 or 1.2, takes the bare text for the same string.
  static func isPlain(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last, last != " ", last != ":" else {
      return false
    }
    guard text.unicodeScalars.allSatisfy(isPrintable), !text.contains(": "), !text.contains(" #") else { return false }
    guard !" -?:,[]{}#&*!|>'\"%@`<=".unicodeScalars.contains(first) else { return false }
    guard text != "...", case .string? = PlainScalar.value(of: text) else { return false }
    // Dates, times and base-60 numbers of other readers.
    let startsLikeNumber = ("0"..."9").contains(first) || first == "+" || first == "."
    return !(startsLikeNumber && text.utf8.allSatisfy { "0123456789+-.:_ TtZzeExXoOaAbBcCdDfF".utf8.contains($0) })
  }
}
