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
    /// A map of bytes, which JSON has in base64.
    case byteMap
    /// meta/v1 Time: seconds and nanoseconds since 1970; JSON has whole seconds.
    case time
    /// meta/v1 MicroTime: the same with microseconds.
    case microTime
    /// A message whose first field is JSON text (meta/v1 FieldsV1).
    case json
    case message(ProtobufShape)
    case messages(ProtobufShape)
  }
  var fields: [Int: (name: String, kind: Kind)]

  init(_ fields: [Int: (name: String, kind: Kind)]) { self.fields = fields }

  /// The object that `bytes` hold; fields that the shape does not name are left out, and so are empty strings and empty
  /// messages: Kubernetes writes these where JSON has nothing.
  func read(_ bytes: [UInt8]) throws(ProtobufReader.Malformed) -> JSONValue {
    var object: JSONValue = [:]
    var reader = ProtobufReader(bytes)
    while let (number, value) = try reader.next() {
      guard let (name, kind) = fields[number] else { continue }
      switch (kind, value) {
      case (.string, .bytes(let text)):
        if !text.isEmpty { object[name] = .string(try Self.text(text)) }
      case (.strings, .bytes(let text)):
        object[name] = .array((object[name]?.array ?? []) + [.string(try Self.text(text))])
      case (.integer, .varint(let number)): object[name] = .integer(Int64(bitPattern: number))
      case (.bool, .varint(let number)): object[name] = .bool(number != 0)
      case (.map, .bytes(let entry)):
        try Self.add(entry, to: &object, name) { (bytes) throws(ProtobufReader.Malformed) in try Self.text(bytes) }
      case (.byteMap, .bytes(let entry)): try Self.add(entry, to: &object, name) { Base64.text(of: $0) }
      case (.time, .bytes(let content)): object[name] = try Self.time(content).map { .string($0.secondsText) }
      case (.microTime, .bytes(let content)):
        object[name] = try Self.time(content).map { .string($0.microsecondsText) }
      case (.json, .bytes(let content)): object[name] = try Self.json(content)
      case (.message(let shape), .bytes(let content)):
        let inner = try shape.read(content)
        if inner != [:] { object[name] = inner }
      case (.messages(let shape), .bytes(let content)):
        object[name] = .array((object[name]?.array ?? []) + [try shape.read(content)])
      default: throw ProtobufReader.Malformed()
      }
    }
    return object
  }

  private static func text(_ bytes: [UInt8]) throws(ProtobufReader.Malformed) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw ProtobufReader.Malformed() }
    return text
  }

  /// Adds one entry (key 1, value 2) of a map.
  private static func add(
    _ entry: [UInt8], to object: inout JSONValue, _ name: String,
    _ shown: ([UInt8]) throws(ProtobufReader.Malformed) -> String
  ) throws(ProtobufReader.Malformed) {
    var key = ""
    var content: [UInt8] = []
    var reader = ProtobufReader(entry)
    while let (field, value) = try reader.next() {
      guard case .bytes(let bytes) = value else { throw ProtobufReader.Malformed() }
      switch field {
      case 1: key = try text(bytes)
      case 2: content = bytes
      default: continue
      }
    }
    var map = object[name] ?? [:]
    map[key] = .string(try shown(content))
    object[name] = map
  }

  /// Nil for the zero time, which is an empty message.
  private static func time(_ bytes: [UInt8]) throws(ProtobufReader.Malformed) -> Timestamp? {
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      guard case .varint(let number) = value else { throw ProtobufReader.Malformed() }
      switch field {
      case 1: seconds = Int64(bitPattern: number)
      case 2: nanoseconds = Int64(bitPattern: number)
      default: continue
      }
    }
    guard seconds != 0 || nanoseconds != 0 else { return nil }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = whole.addingReportingOverflow(nanoseconds)
    guard !overflow, !carry else { throw ProtobufReader.Malformed() }
    return Timestamp(nanoseconds: sum)
  }

  private static func json(_ bytes: [UInt8]) throws(ProtobufReader.Malformed) -> JSONValue? {
    var reader = ProtobufReader(bytes)
    while let (field, value) = try reader.next() {
      guard field == 1, case .bytes(let text) = value else { continue }
      do { return try JSONValue(parsing: text) } catch { throw ProtobufReader.Malformed() }
    }
    return JSONValue?.none
  }
}
