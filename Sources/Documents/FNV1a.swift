/// FNV-1a with 64 bits (Fowler, Noll and Vo): tells contents apart, the same on every machine and in every run; withstands
/// no adversary.
package struct FNV1a: Sendable {
  package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  package init() {}

  package mutating func add(_ bytes: [UInt8]) {
    for byte in bytes { add(byte) }
  }

  package mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte) }
  }

  /// Adds eight bytes, the lowest first.
  package mutating func add(_ word: UInt64) {
    for place in 0..<8 { add(UInt8(truncatingIfNeeded: word >> UInt64(place * 8))) }
  }

  package mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

  /// The value in 16 hexadecimal digits.
  package var digits: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  package static func hash(_ bytes: [UInt8]) -> UInt64 {
    var hash = FNV1a()
    hash.add(bytes)
    return hash.value
  }

  package static func hash(_ text: String) -> UInt64 {
    var hash = FNV1a()
    hash.add(text)
    return hash.value
  }
}
