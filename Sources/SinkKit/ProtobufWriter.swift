/// Writes protobuf messages field by field, in the order of the calls (protobuf.dev, "Encoding").
///
/// Every call writes its field, a zero too: whether proto3 leaves a field out is the caller's to say.
public struct ProtobufWriter: Sendable {
  /// What has been written.
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// A message of its own, from what `body` writes.
  public static func message(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    body(&writer)
    return writer.bytes
  }

  /// `uint32`, `uint64`, `bool`, an enum, or a non-negative `int64`.
  public mutating func varint(_ field: Int, _ value: UInt64) {
    tag(field, 0)
    raw(value)
  }

  /// `int32` or `int64`: ten bytes where it is negative.
  public mutating func int64(_ field: Int, _ value: Int64) { varint(field, UInt64(bitPattern: value)) }

  /// `fixed64`; a `sfixed64` by its bits.
  public mutating func fixed64(_ field: Int, _ value: UInt64) {
    tag(field, 1)
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  public mutating func double(_ field: Int, _ value: Double) { fixed64(field, value.bitPattern) }

  /// `fixed32`; a `float` or a `sfixed32` by its bits.
  public mutating func fixed32(_ field: Int, _ value: UInt32) {
    tag(field, 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  public mutating func string(_ field: Int, _ text: String) {
    tag(field, 2)
    raw(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// `bytes`, or a message that is written already.
  public mutating func bytes(_ field: Int, _ content: [UInt8]) {
    tag(field, 2)
    raw(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// A packed repeated field of varints; nothing where there are none.
  public mutating func packed(_ field: Int, _ values: some Collection<UInt64>) {
    guard !values.isEmpty else { return }
    message(field) { writer in for value in values { writer.raw(value) } }
  }

  /// A message within this one, from what `body` writes.
  public mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    tag(field, 2)
    let start = bytes.count
    body(&self)
    var length: [UInt8] = []
    Self.append(UInt64(bytes.count - start), to: &length)
    bytes.insert(contentsOf: length, at: start)
  }

  private mutating func tag(_ field: Int, _ wireType: UInt64) { raw(UInt64(field) << 3 | wireType) }

  private mutating func raw(_ value: UInt64) { Self.append(value, to: &bytes) }

  private static func append(_ value: UInt64, to output: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }
}
