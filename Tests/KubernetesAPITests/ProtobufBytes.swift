/// Composes protobuf messages from the encoding guide alone, apart from the code under test.
struct ProtobufBytes: ExpressibleByArrayLiteral {
  var bytes: [UInt8] = []

  init(arrayLiteral fields: ProtobufBytes...) { bytes = fields.flatMap(\.bytes) }
  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func varint(_ value: UInt64) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value % 128) + 128] + varint(value / 128)
  }
  static func number(_ field: UInt64, _ value: Int64) -> ProtobufBytes {
    ProtobufBytes(varint(field * 8) + varint(UInt64(bitPattern: value)))
  }
  static func bytes(_ field: UInt64, _ content: [UInt8]) -> ProtobufBytes {
    ProtobufBytes(varint(field * 8 + 2) + varint(UInt64(content.count)) + content)
  }
  static func text(_ field: UInt64, _ text: String) -> ProtobufBytes { bytes(field, Array(text.utf8)) }
  static func message(_ field: UInt64, _ fields: ProtobufBytes) -> ProtobufBytes { bytes(field, fields.bytes) }

  /// `k8s`, a zero byte, and runtime.Unknown around the message.
  static func body(_ apiVersion: String, _ kind: String, _ message: ProtobufBytes) -> [UInt8] {
    let unknown: ProtobufBytes = [
      .message(1, [.text(1, apiVersion), .text(2, kind)]), .bytes(2, message.bytes), .text(3, ""), .text(4, ""),
    ]
    return Array("k8s".utf8) + [0] + unknown.bytes
  }
}
