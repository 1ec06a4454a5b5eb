package import DeviceKit
internal import Documents

/// Bytes that do not hold what their place calls for.
package struct DecodingFault: Error, Sendable, Hashable {
  package init() {}
}

/// Reads what ``ByteWriter`` wrote; every call may find the bytes short or wrong.
package struct ByteReader {
  private let bytes: [UInt8]
  private(set) package var position: Int
  private let end: Int

  package init(_ bytes: [UInt8]) { self.init(bytes, in: 0..<bytes.count) }

  package init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  package var isAtEnd: Bool { position == end }

  package mutating func byte() throws(DecodingFault) -> UInt8 {
    guard position < end else { throw DecodingFault() }
    defer { position += 1 }
    return bytes[position]
  }

  package mutating func fixed<Number: FixedWidthInteger>() throws(DecodingFault) -> Number {
    let size = MemoryLayout<Number>.size
    guard end - position >= size else { throw DecodingFault() }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Number.self) }
    position += size
    return Number(littleEndian: value)
  }

  package mutating func double() throws(DecodingFault) -> Double {
    let pattern: UInt64 = try fixed()
    return Double(bitPattern: pattern)
  }

  package mutating func varint() throws(DecodingFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw DecodingFault() }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
      guard shift <= 63 else { throw DecodingFault() }
    }
  }

  package mutating func zigzag() throws(DecodingFault) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A varint that counts things of at least one byte each, so that it is at most what is left.
  package mutating func count() throws(DecodingFault) -> Int {
    let value = try varint()
    guard value <= UInt64(end - position) else { throw DecodingFault() }
    return Int(value)
  }

  package mutating func blob() throws(DecodingFault) -> [UInt8] {
    let length = try count()
    defer { position += length }
    return Array(bytes[position..<position + length])
  }

  package mutating func string() throws(DecodingFault) -> String {
    let length = try count()
    defer { position += length }
    guard let text = String(validating: bytes[position..<position + length], as: UTF8.self) else {
      throw DecodingFault()
    }
    return text
  }

  package mutating func value() throws(DecodingFault) -> Value? {
    switch try byte() {
    case 0: return nil
    case 1: return .boolean(false)
    case 2: return .boolean(true)
    case 3: return .integer(try zigzag())
    case 4: return .unsigned(try fixed())
    case 5: return .number(try double())
    case 6: return .string(try string())
    case 7:
      let text = try blob()
      guard let json = try? JSONValue(parsing: text) else { throw DecodingFault() }
      return .object(json)
    default: throw DecodingFault()
    }
  }
}
