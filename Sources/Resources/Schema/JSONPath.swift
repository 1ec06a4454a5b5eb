internal import Documents

/// The part of Kubernetes' JSONPath that printer columns use: `.a.b`, `['x']`, `[0]`, `[*]`, `[?(@.x=="y")]`.
struct JSONPath: Sendable, Hashable {
  enum Step: Sendable, Hashable {
    case member(String)
    case index(Int)
    case all
    /// Elements whose member at the path equals (or differs from) the literal.
    case filter([String], JSONValue, isEqual: Bool)
  }
  let steps: [Step]

  /// Nil for text outside the subset.
  init?(_ text: String) {
    var rest = text[...]
    if rest.first == "{", rest.last == "}" { rest = rest.dropFirst().dropLast() }
    if rest.first == "$" { rest = rest.dropFirst() }
    var steps: [Step] = []
    while let first = rest.first {
      if first == "." {
        rest = rest.dropFirst()
        let name = JSONPath.takeName(&rest)
        if name.isEmpty {
          guard rest.isEmpty, steps.isEmpty else { return nil }
        } else {
          steps.append(name == "*" ? .all : .member(name))
        }
      } else if first == "[" {
        guard let end = JSONPath.closing(rest) else { return nil }
        let inner = rest[rest.index(after: rest.startIndex)..<end].trimmed
        rest = rest[rest.index(after: end)...]
        guard let step = JSONPath.bracket(inner) else { return nil }
        steps.append(step)
      } else if steps.isEmpty {
        steps.append(.member(JSONPath.takeName(&rest)))
      } else {
        return nil
      }
    }
    self.steps = steps
  }

  /// The names up to the first step that is not a member's name.
  var leadingMembers: [String] {
    var names: [String] = []
    for case .member(let name) in steps.prefix(while: { if case .member = $0 { true } else { false } }) {
      names.append(name)
    }
    return names
  }

  /// The values that the path finds, in document order.
  func values(in object: JSONValue) -> [JSONValue] {
    var current = [object]
    for step in steps {
      current = current.flatMap { value -> [JSONValue] in
        switch step {
        case .member(let name): return value[name].map { [$0] } ?? []
        case .index(let index):
          guard let elements = value.array else { return [] }
          let position = index < 0 ? elements.count + index : index
          return elements.indices.contains(position) ? [elements[position]] : []
        case .all: return value.array ?? value.object.map { $0.sorted { $0.key < $1.key }.map(\.value) } ?? []
        case .filter(let path, let literal, let isEqual):
          return (value.array ?? []).filter { element in
            var found: JSONValue? = element
            for name in path { found = found?[name] }
            return found.map { ($0 == literal) == isEqual } ?? false
          }
        }
      }
      if current.isEmpty { return [] }
    }
    return current
  }

  /// Takes a member's name; `\.` is a dot within it.
  private static func takeName(_ rest: inout Substring) -> String {
    var name = ""
    while let character = rest.first, character != ".", character != "[" {
      rest.removeFirst()
      if character == "\\", let escaped = rest.first {
        name.append(escaped)
        rest.removeFirst()
      } else {
        name.append(character)
      }
    }
    return name
  }

  /// The bracket that closes the one at the start, quotes and inner brackets heeded.
  private static func closing(_ text: Substring) -> Substring.Index? {
    var quote: Character?
    var depth = 0
    for index in text.indices {
      let character = text[index]
      if let open = quote {
        if character == open { quote = nil }
        continue
      }
      switch character {
      case "'", "\"": quote = character
      case "[": depth += 1
      case "]":
        depth -= 1
        if depth == 0 { return index }
      default: break
      }
    }
    return nil
  }

  private static func bracket(_ inner: Substring) -> Step? {
    if inner == "*" { return .all }
    if let index = Int(inner) { return .index(index) }
    if let name = unquoted(inner) { return .member(name) }
    guard inner.hasPrefix("?("), inner.hasSuffix(")") else { return nil }
    let condition = inner.dropFirst(2).dropLast().trimmed
    for (sign, isEqual) in [("==", true), ("!=", false)] {
      let sides = condition.split(separator: sign, maxSplits: 1)
      guard sides.count == 2, sides[0].trimmed.hasPrefix("@."), let literal = literal(sides[1].trimmed) else {
        continue
      }
      return .filter(sides[0].trimmed.dropFirst(2).split(separator: ".").map(String.init), literal, isEqual: isEqual)
    }
    return nil
  }

  private static func unquoted(_ text: Substring) -> String? {
    guard text.count >= 2, let quote = text.first, quote == "'" || quote == "\"", text.last == quote else { return nil }
    return String(text.dropFirst().dropLast())
  }

  private static func literal(_ text: Substring) -> JSONValue? {
    if let string = unquoted(text) { return .string(string) }
    return try? JSONValue(parsing: text)
  }
}
