package import DeviceKit
internal import Documents

/// Appends little-endian numbers, LEB128 varints and length-prefixed strings.
package struct ByteWriter {
  package var bytes: [UInt8] = []

  package init() {}

  package mutating func byte(_ value: UInt8) { bytes.append(value) }

  package mutating func fixed<Number: FixedWidthInteger>(_ value: Number) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func fixed(_ value: Double) { fixed(value.bitPattern) }

  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Small magnitudes of either sign stay short.
  package mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

  package mutating func string(_ text: String) {
    varint(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  package mutating func blob(_ content: [UInt8]) {
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// A tag byte and the value.
  package mutating func value(_ value: Value?) {
    switch value {
    case nil: byte(0)
    case .boolean(let value): byte(value ? 2 : 1)
    case .integer(let value):
      byte(3)
      zigzag(value)
    case .unsigned(let value):
      byte(4)
      fixed(value)
    case .number(let value):
      byte(5)
      fixed(value)
    case .string(let value):
      byte(6)
      string(value)
    case .object(let value):
      byte(7)
      blob(value.serialised())
    }
  }
}
