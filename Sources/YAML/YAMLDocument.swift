public import Documents

/// Reads and writes YAML as JSON values, the way Kubernetes' tools understand it.
///
/// Plain scalars follow YAML 1.1: `y n yes no on off` are booleans, `010` is octal. Integers are exact over both 64-bit
/// ranges. A duplicate key, an unknown tag and a number that JSON cannot carry are errors.
public enum YAMLDocument {
  /// A key that occurs twice in one mapping; line and column count from 1.
  public struct Duplicate: Sendable, Equatable {
    /// The key's path: `[i]` for the element of a sequence.
    public var path: [String]
    public var key: String
    public var line: Int
    public var column: Int
  }

  /// One document of a stream.
  public struct Decoded: Sendable, Equatable {
    public var value: JSONValue
    /// Where the document's content begins, counted from 1.
    public var line: Int
    /// Keys that occurred twice; the last value counted.
    public var duplicates: [Duplicate]
  }

  /// The stream's documents in order, empty ones left out. A key that occurs twice is no error here but noted.
  public static func decoded(in bytes: [UInt8]) throws(YAMLError) -> [Decoded] {
    let reader = EventReader(bytes)
    var documents: [Decoded] = []
    while true {
      let event = try reader.next()
      switch event.content {
      case .streamEnd: return documents
      case .documentStart:
        var composer = DocumentComposer(reader)
        let value = try composer.compose()
        if !value.isNull {
          documents.append(Decoded(value: value, line: composer.line, duplicates: composer.duplicates))
        }
      default: continue
      }
    }
  }

  /// The stream's documents in order; empty ones are left out.
  public static func all(in bytes: [UInt8]) throws(YAMLError) -> [JSONValue] {
    try decoded(in: bytes).map { (document) throws(YAMLError) in
      if let first = document.duplicates.first {
        throw YAMLError(message: "key \"\(first.key)\" occurs twice", line: first.line, column: first.column)
      }
      return document.value
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

  /// The value in flow style on one line, without a newline: `{name: flow, type: number}`. Of an object's keys those of
  /// `leading` come first, the others sorted.
  public static func line(of value: JSONValue, leading: [String] = []) -> String {
    FlowEmitter.text(of: value, leading: leading)
  }
}
