import DeviceKit

/// The readings that registers allow, for an engineer who does not know their encoding.
package struct EncodingGuess: Sendable, Hashable {
  package var encoding: RegisterEncoding
  package var order: RegisterOrder
  package var text: String

  /// Every encoding and order in which the first registers of `registers` give a plausible value: integers of 32 and 64
  /// bits that are not mere noise in their upper half, floats from 10^-6 to 10^9 or 0 (of 16 bits from 10^-2 to 10^4),
  /// BCD of two digits or more, texts of printable characters. Bytes and bits show in the hexadecimal number.
  package static func all(of registers: ArraySlice<UInt16>) -> [EncodingGuess] {
    var guesses: [EncodingGuess] = []
    for encoding in RegisterEncoding.allCases where encoding != .bit && !encoding.isByte {
      let count = encoding.registerCount ?? registers.count
      guard count <= registers.count else { continue }
      let words = registers.prefix(count)
      for order in RegisterOrder.allCases where count > 1 || order == .abcd || order == .badc {
        let type: PropertyType = encoding == .string ? .string : encoding.isFloat ? .number : .integer
        let codec = RegisterCodec(encoding, order: order, type: type, registers: count)
        guard case .value(let value) = codec.decode(words), isPlausible(value, encoding) else { continue }
        let text = value.shown
        if order != .abcd, guesses.contains(where: { $0.encoding == encoding && $0.text == text }) { continue }
        guesses.append(EncodingGuess(encoding: encoding, order: order, text: text))
      }
    }
    return guesses
  }

  private static func isPlausible(_ value: Value, _ encoding: RegisterEncoding) -> Bool {
    switch (value, encoding) {
    case (.number(let number), .float16): return (1e-2...1e4).contains(abs(number))
    case (.integer(let number), .bcd16), (.integer(let number), .bcd32), (.integer(let number), .bcd64):
      return number >= 10
    case (.number(let number), _): return number == 0 || (1e-6...1e9).contains(abs(number))
    case (.string(let text), _):
      return text.count >= 2 && text.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) }
    case (.integer(let number), .int32), (.integer(let number), .uint32): return number.magnitude < 1_000_000_000
    case (.integer(let number), .int64), (.integer(let number), .uint64):
      return number.magnitude < 1_000_000_000_000_000
    case (.unsigned, _): return false
    default: return true
    }
  }
}
