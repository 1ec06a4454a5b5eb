internal import Documents

/// Where a column's cell comes from: one path, or a text with paths in braces (`{.a}/{.b}`).
struct ColumnPath {
  private enum Part {
    case text(String)
    case path(JSONPath?)
  }
  private let parts: [Part]

  init(_ text: String) {
    guard text.contains("{"), !(text.hasPrefix("{") && text.firstIndex(of: "}") == text.indices.last) else {
      parts = [.path(JSONPath(text))]
      return
    }
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      parts.append(.path(JSONPath(String(rest[rest.index(after: open)..<close]))))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  /// How many members the values of all paths have together.
  func count(in object: JSONValue) -> Int {
    parts.reduce(0) { sum, part in
      guard case .path(let path) = part else { return sum }
      return (path?.values(in: object) ?? []).reduce(sum) { $0 + ($1.object?.count ?? $1.array?.count ?? 1) }
    }
  }

  /// The members that the column's paths start from, as far as these lead through objects alone.
  var memberPaths: [[String]] {
    parts.compactMap { part in
      guard case .path(let path?) = part else { return nil }
      return path.leadingMembers
    }
  }

  /// The values of a single path; one string for a text. Nothing where no path finds anything.
  func values(in object: JSONValue) -> [JSONValue] {
    if parts.count == 1, case .path(let path) = parts[0] { return path?.values(in: object) ?? [] }
    var text = ""
    var isFound = false
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .path(let path):
        let values = path?.values(in: object) ?? []
        isFound = isFound || !values.isEmpty
        text += values.map { $0.string ?? $0.description }.joined(separator: ",")
      }
    }
    return isFound ? [.string(text)] : []
  }
}
