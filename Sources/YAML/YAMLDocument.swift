public import Documents

/// Reads and writes YAML as JSON values, the way Kubernetes' tools understand it.
///
/// Plain scalars follow YAML 1.1: `y n yes no on off` are booleans, `010` is octal. Integers are exact over both 64-bit
/// ranges. A duplicate key, an unknown tag and a number that JSON cannot carry are errors.
public enum YAMLDocument {
  /// The stream's documents in order; empty ones are left out.
  public static func all(in bytes: [UInt8]) throws(YAMLError) -> [JSONValue] {
    let reader = EventReader(bytes)
    var documents: [JSONValue] = []
    while true {
      switch try reader.next().content {
      case .streamEnd: return documents
      case .documentStart:
        var composer = DocumentComposer(reader)
        let value = try composer.compose()
        if !value.isNull { documents.append(value) }
      default: continue
      }
    }
  }

  /// The text's documents in order; empty ones are left out.
  public static func all(in text: String) throws(YAMLError) -> [JSONValue] { try all(in: Array(text.utf8)) }

  /// The only document of a text.
  public static func one(in text: String) throws(YAMLError) -> JSONValue {
    let documents = try all(in: text)
    guard documents.count == 1 else {
      throw YAMLError(message: "expected one document, found \(documents.count)", line: 1, column: 1)
    }
    return documents[0]
  }

  /// The value as one YAML document in block style, ending with a newline: equal values give equal text. Keys are
  /// sorted, but apiVersion, kind, metadata, spec and status come first at the top. Strings that would read as
  /// something else are quoted.
  public static func text(of value: JSONValue) -> String {
    var emitter = BlockEmitter()
    emitter.write(value)
    return emitter.output
  }

  /// The values as one stream, divided by `---`.
  public static func text(of values: [JSONValue]) -> String { values.map { text(of: $0) }.joined(separator: "---\n") }
}
