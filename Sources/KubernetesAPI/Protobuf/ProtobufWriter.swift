/// Builds a protobuf message, field by field (protobuf encoding guide, sections Base 128 Varints and Message Structure).
package struct ProtobufWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func lengthDelimited(_ field: Int, _ content: some Collection<UInt8>) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// Nil is left out.
  package mutating func string(_ field: Int, _ text: String?) {
    guard let text else { return }
    lengthDelimited(field, text.utf8)
  }

  package mutating func bool(_ field: Int, _ value: Bool) {
    varint(UInt64(field) << 3)
    varint(value ? 1 : 0)
  }

  /// A nested message, written by `body`.
  package mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    body(&inner)
    lengthDelimited(field, inner.bytes)
  }
}
