internal import Documents

/// Numbers as JSON writes them (RFC 8259, section 6), read without an intermediate text wherever that is exact.
struct NumberScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  private func isDigit(_ at: Int) -> Bool { at < bytes.count && bytes[at] >= 0x30 && bytes[at] <= 0x39 }
  private func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

  mutating func number() throws(JSONError) -> PayloadValue {
    let start = position
    var mantissa: UInt64 = 0
    var digits = 0
    var exponent = 0
    var isInteger = true
    let isNegative = bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    guard isDigit(position) else { throw error("expected a value") }
    if bytes[position] == UInt8(ascii: "0"), isDigit(position + 1) { throw error("number with a leading zero") }
    func take() {
      if digits < 18 { mantissa = mantissa * 10 + UInt64(bytes[position] - 0x30) }
      digits += 1
      position += 1
    }
    while isDigit(position) { take() }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      guard isDigit(position) else { throw error("number without a digit after '.'") }
      while isDigit(position) {
        take()
        exponent -= 1
      }
    }
    var isSimple = true
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      isSimple = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      guard isDigit(position) else { throw error("number without a digit in its exponent") }
      while isDigit(position) { position += 1 }
    }
    if digits <= 18, isInteger { return .integer(isNegative ? -Int64(mantissa) : Int64(mantissa)) }
    // Both operands are exact, so the quotient is the nearest double.
    if digits <= 18, isSimple, mantissa <= 1 << 53, exponent >= -22 {
      let value = Double(mantissa) / NumberScanner.powersOfTen[-exponent]
      return .number(isNegative ? -value : value)
    }
    return try slow(start, isInteger)
  }

  private func slow(_ start: Int, _ isInteger: Bool) throws(JSONError) -> PayloadValue {
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger {
      if let value = Int64(text) { return .integer(value) }
      if let value = UInt64(text) { return .unsigned(value) }
    }
    guard let value = Double(text), value.isFinite else {
      throw JSONError(message: "number out of range", offset: start)
    }
    return .number(value)
  }
}

extension PayloadScanner {
  mutating func number() throws(JSONError) -> PayloadValue {
    var scanner = NumberScanner(bytes, at: position)
    defer { position = scanner.position }
    return try scanner.number()
  }
}
