internal import Documents

/// Writes values in YAML's flow style: one line, plain words without quotes.
enum FlowEmitter {
  static func text(of value: JSONValue, leading: [String]) -> String {
    switch value {
    case .object(let members):
      let keys = leading.filter { members[$0] != nil } + members.keys.filter { !leading.contains($0) }.sorted()
      return "{"
        + keys.map { "\(scalar($0)): \(text(of: members[$0] ?? .null, leading: leading))" }.joined(separator: ", ")
        + "}"
    case .array(let elements):
      return "[" + elements.map { text(of: $0, leading: leading) }.joined(separator: ", ") + "]"
    case .string(let text): return scalar(text)
    default: return value.description
    }
  }

  /// A text that holds what ends a flow scalar is quoted, as is what any reader would take for something else.
  private static func scalar(_ text: String) -> String {
    if BlockEmitter.isPlain(text), !text.utf8.contains(where: { ",[]{}:".utf8.contains($0) }) { return text }
    return BlockEmitter.quoted(text)
  }
}
