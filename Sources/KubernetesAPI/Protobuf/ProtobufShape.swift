internal import Documents

/// How the fields of a protobuf message become members of an object: the little of a schema that bodies need.
struct ProtobufShape: Sendable {
  indirect enum Kind: Sendable {
    case string
    case strings
    case integer
    case bool
    /// A map of strings.
    case map
    case message(ProtobufShape)
  }
  var fields: [Int: (name: String, kind: Kind)]

  /// The object that `bytes` hold; fields that the shape does not name are left out.
  func read(_ bytes: [UInt8]) throws(ProtobufReader.Malformed) -> JSONValue {
    var object: JSONValue = [:]
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      guard let (name, kind) = fields[number] else { continue }
      switch (kind, value) {
      case (.string, .bytes(let text)):
        // Kubernetes writes every string, empty ones too: these are absent in JSON.
        if !text.isEmpty { object[name] = .string(try Self.text(text)) }
      case (.strings, .bytes(let text)):
        object[name] = .array((object[name]?.array ?? []) + [.string(try Self.text(text))])
      case (.integer, .varint(let number)): object[name] = .integer(Int64(bitPattern: number))
      case (.bool, .varint(let number)): object[name] = .bool(number != 0)
      case (.map, .bytes(let entry)):
        let pair = try Self.entry.read(entry)
        var map = object[name] ?? [:]
        map[pair["key"]?.string ?? ""] = pair["value"] ?? ""
        object[name] = map
      case (.message(let shape), .bytes(let content)): object[name] = try shape.read(content)
      default: throw ProtobufReader.Malformed()
      }
    }
    return object
  }

  private static let entry = ProtobufShape(fields: [1: ("key", .string), 2: ("value", .string)])

  private static func text(_ bytes: [UInt8]) throws(ProtobufReader.Malformed) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw ProtobufReader.Malformed() }
    return text
  }
}
