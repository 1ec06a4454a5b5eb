internal import Documents

/// What a plain (unquoted) scalar means: YAML 1.1 as Kubernetes' own reader resolves it.
enum PlainScalar {
  /// Nil for a number that JSON cannot carry: infinite or not a number.
  static func value(of text: String) -> JSONValue? {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
    case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
    case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
      return nil
    default: break
    }
    guard let first = text.utf8.first, (0x30...0x39).contains(first) || [0x2B, 0x2D, 0x2E].contains(first) else {
      return .string(text)
    }
    let digits = text.utf8.contains(UInt8(ascii: "_")) ? text.filter { $0 != "_" } : text
    if let integer = integer(digits) { return integer }
    if isDecimal(digits) {
      guard let number = Double(digits), number.isFinite else { return nil }
      return .double(number)
    }
    return .string(text)
  }

  /// Decimal, `0x`, `0o`, `0b`, or octal by a leading zero; nil for anything else and for more than 64 bits.
  private static func integer(_ text: String) -> JSONValue? {
    var rest = text[...]
    var isNegative = false
    if let sign = rest.first, sign == "+" || sign == "-" {
      isNegative = sign == "-"
      rest = rest.dropFirst()
    }
    var radix = 10
    if rest.count > 1, rest.first == "0" {
      switch rest.dropFirst().first {
      case "x", "X": (radix, rest) = (16, rest.dropFirst(2))
      case "o", "O": (radix, rest) = (8, rest.dropFirst(2))
      case "b", "B": (radix, rest) = (2, rest.dropFirst(2))
      default: (radix, rest) = (8, rest.dropFirst())
      }
    }
    guard let first = rest.utf8.first, first != 0x2B, first != 0x2D, let magnitude = UInt64(rest, radix: radix) else {
      return nil
    }
    if isNegative {
      return magnitude <= UInt64(Int64.max) + 1 ? .integer(Int64(truncatingIfNeeded: 0 &- magnitude)) : nil
    }
    return Int64(exactly: magnitude).map { .integer($0) } ?? .unsigned(magnitude)
  }

  /// `[-+]? (digits [. digits] | . digits) [e [-+] digits]`
  private static func isDecimal(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    func isSign(_ byte: UInt8?) -> Bool { byte == 0x2B || byte == 0x2D }
    func takeDigits() -> Int {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      rest = rest.dropFirst(digits.count)
      return digits.count
    }
    if isSign(rest.first) { rest = rest.dropFirst() }
    let whole = takeDigits()
    if rest.first == 0x2E {
      rest = rest.dropFirst()
      guard takeDigits() > 0 || whole > 0 else { return false }
    } else if whole == 0 {
      return false
    }
    if let exponent = rest.first, exponent | 0x20 == 0x65 {
      rest = rest.dropFirst()
      if isSign(rest.first) { rest = rest.dropFirst() }
      guard takeDigits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}
