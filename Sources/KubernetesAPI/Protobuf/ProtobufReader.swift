/// Reads the fields of one protobuf message in order, without a schema.
package struct ProtobufReader: Sendable {
  package enum Value: Sendable, Equatable {
    case varint(UInt64)
    case bytes([UInt8])
    /// A 32- or 64-bit field; its content is skipped.
    case fixed
  }
  private var rest: ArraySlice<UInt8>

  package init(_ bytes: some Sequence<UInt8>) { rest = Array(bytes)[...] }

  /// The next field; nil at the end. Throws ``Malformed`` for anything that is no protobuf.
  package mutating func next() throws(Malformed) -> (field: Int, value: Value)? {
    guard !rest.isEmpty else { return nil }
    let key = try varint()
    let field = Int(truncatingIfNeeded: key >> 3)
    switch key & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, try skip(8))
    case 2:
      let count = try varint()
      guard count <= UInt64(rest.count) else { throw Malformed() }
      let content = rest.prefix(Int(count))
      rest = rest.dropFirst(Int(count))
      return (field, .bytes(Array(content)))
    case 5: return (field, try skip(4))
    default: throw Malformed()
    }
  }

  package struct Malformed: Error, Sendable {}

  private mutating func skip(_ count: Int) throws(Malformed) -> Value {
    guard rest.count >= count else { throw Malformed() }
    rest = rest.dropFirst(count)
    return .fixed
  }

  private mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw Malformed() }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }
}
