/// Reads the fields of one protobuf message in the order in which they stand (protobuf.dev, "Encoding").
public struct ProtobufReader: Sendable {
  /// A field's content by its wire type.
  public enum Content: Sendable, Hashable {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// A string, bytes, a message or packed values.
    case bytes([UInt8])

    /// A varint; nil for anything else.
    public var varint: UInt64? { if case .varint(let value) = self { value } else { nil } }
    /// What has a length; nil for anything else.
    public var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
  }

  /// The bytes are no message.
  public struct Malformed: Error, Sendable, Hashable {}

  private let input: [UInt8]
  private var offset = 0

  public init(_ input: [UInt8]) { self.input = input }

  /// The next field's number and content; nil at the end. Groups (wire types 3 and 4) are malformed: proto3 has none.
  public mutating func next() throws(Malformed) -> (field: Int, content: Content)? {
    guard offset < input.count else { return nil }
    let tag = try varint()
    let field = tag >> 3
    guard (1...536_870_911).contains(field) else { throw Malformed() }
    switch tag & 7 {
    case 0: return (Int(field), .varint(try varint()))
    case 1: return (Int(field), .fixed64(try fixed(8)))
    case 5: return (Int(field), .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    case 2:
      let length = try varint()
      guard length <= UInt64(input.count - offset) else { throw Malformed() }
      defer { offset += Int(length) }
      return (Int(field), .bytes(Array(input[offset..<offset + Int(length)])))
    default: throw Malformed()
    }
  }

  private mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard offset < input.count else { throw Malformed() }
      let byte = input[offset]
      offset += 1
      guard shift < 63 || byte <= 1 else { throw Malformed() }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }

  private mutating func fixed(_ count: Int) throws(Malformed) -> UInt64 {
    guard input.count - offset >= count else { throw Malformed() }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(input[offset + index]) << UInt64(8 * index) }
    offset += count
    return value
  }
}
