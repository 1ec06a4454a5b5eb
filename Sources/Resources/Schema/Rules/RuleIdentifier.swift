/// How rules name properties whose names are no CEL identifiers (Kubernetes' documentation of CRDs, section Validation
/// rules): `__namespace__` for a reserved word, `__dash__`, `__dot__`, `__slash__` and `__underscores__` within a name.
enum RuleIdentifier {
  /// Words of the language that are no names.
  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace",
    "return", "var", "void", "while",
  ]
  private static let words = reserved.union(["true", "false", "null", "in"])

  /// The name under which a rule reaches the property; nil for a property that no rule can reach by name.
  static func escaped(_ property: String) -> String? {
    guard !words.contains(property) else { return "__\(property)__" }
    guard let first = property.utf8.first, !(0x30...0x39).contains(first) else { return nil }
    var name = ""
    var rest = property.unicodeScalars[...]
    while let scalar = rest.first {
      if rest.starts(with: "__".unicodeScalars) {
        name += "__underscores__"
        rest = rest.dropFirst(2)
        continue
      }
      rest = rest.dropFirst()
      switch scalar {
      case ".": name += "__dot__"
      case "-": name += "__dash__"
      case "/": name += "__slash__"
      case "a"..."z", "A"..."Z", "0"..."9", "_": name.unicodeScalars.append(scalar)
      default: return nil
      }
    }
    return name
  }

  /// The property that an escaped name stands for.
  static func unescaped(_ name: String) -> String {
    guard name.contains("__") else { return name }
    if name.hasPrefix("__"), name.hasSuffix("__"), words.contains(String(name.dropFirst(2).dropLast(2))) {
      return String(name.dropFirst(2).dropLast(2))
    }
    var property = ""
    var rest = name[...]
    scan: while !rest.isEmpty {
      for (escape, text) in [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")]
      where rest.hasPrefix(escape) {
        property += text
        rest = rest.dropFirst(escape.count)
        continue scan
      }
      property.append(rest.removeFirst())
    }
    return property
  }
}
