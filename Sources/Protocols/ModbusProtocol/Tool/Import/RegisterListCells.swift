/// What the cells of register lists say, in the ways their makers write it.
enum RegisterListCells {
  // MARK: Addresses

  struct Address: Sendable, Hashable {
    var number: Int
    /// The last one of a range.
    var last: Int?
    var bit: Int?
    var isHexadecimal: Bool
    /// By a prefix such as `HR` or `4x`.
    var table: RegisterTable?
  }

  /// `40041`, `0x9C41`, `9C41h`, `30001-30002`, `30001…30002`, `40003.5`, `40003:05`, `4x0041`, `HR 40`; nil for anything
  /// else.
  static func address(_ text: String, isHexadecimal: Bool) -> Address? {
    var rest = text.filter { $0 != " " && $0 != "'" }[...]
    var table: RegisterTable?
    for (prefix, of) in prefixes where rest.lowercased().hasPrefix(prefix) {
      rest = rest.dropFirst(prefix.count)
      table = of
      break
    }
    for separator in ["...", "..", "…", "–", "~", "-", "/", "+", ",", "&"] {
      guard let parts = split(rest, separator) else { continue }
      guard let first = number(parts.0, isHexadecimal: isHexadecimal),
        let last = number(parts.1, isHexadecimal: isHexadecimal)
      else { return nil }
      guard last.value > first.value, last.value - first.value < 125 else { return nil }
      return Address(
        number: first.value, last: last.value, isHexadecimal: first.isHexadecimal || last.isHexadecimal, table: table)
    }
    for separator in [".", ":"] {
      guard let parts = split(rest, separator) else { continue }
      guard let first = number(parts.0, isHexadecimal: isHexadecimal), let bit = Int(parts.1), (0...15).contains(bit)
      else {
        return nil
      }
      return Address(number: first.value, bit: bit, isHexadecimal: first.isHexadecimal, table: table)
    }
    guard let one = number(rest, isHexadecimal: isHexadecimal) else { return nil }
    return Address(number: one.value, isHexadecimal: one.isHexadecimal, table: table)
  }

  private static let prefixes: [(String, RegisterTable)] = [
    ("hr", .holding), ("ir", .input), ("di", .discrete), ("co", .coil), ("4x", .holding), ("3x", .input),
    ("1x", .discrete),
    ("4:", .holding), ("3:", .input), ("1:", .discrete), ("0:", .coil), ("%mw", .holding), ("%iw", .input),
    ("%m", .coil),
  ]

  private static func split(_ text: Substring, _ separator: String) -> (Substring, Substring)? {
    let parts = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    return (parts[0], parts[1])
  }

  private static func number(_ text: Substring, isHexadecimal: Bool) -> (value: Int, isHexadecimal: Bool)? {
    let lower = text.lowercased()
    if lower.hasPrefix("0x") { return Int(lower.dropFirst(2), radix: 16).map { ($0, true) } }
    if lower.hasSuffix("h") { return Int(lower.dropLast(), radix: 16).map { ($0, true) } }
    if isHexadecimal { return Int(lower, radix: 16).map { ($0, true) } }
    guard lower.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(lower).map { ($0, false) }
  }

  // MARK: Tables

  /// Of a function code or a table's name: `3`, `0x04`, `FC 03/06`, `Holding`, `Input register`. Nil where it is none.
  static func table(_ text: String) -> RegisterTable? {
    let words = RegisterListColumns.words(text)
    let joined = words.joined()
    if joined.contains("holding") || joined == "hr" || joined == "4x" || joined.contains("halteregister") {
      return .holding
    }
    if joined.contains("discrete") || joined == "di" || joined == "1x" { return .discrete }
    if joined.contains("coil") || joined == "co" || joined == "0x" { return .coil }
    if joined.contains("input") || joined == "ir" || joined == "3x" || joined.contains("eingangsregister") {
      return .input
    }
    for word in words {
      let digits = word.hasPrefix("fc") ? word.dropFirst(2) : word.hasPrefix("0x") ? word.dropFirst(2) : word[...]
      switch Int(digits.hasSuffix("h") ? digits.dropLast() : digits, radix: 16) {
      case 1, 5, 15: return .coil
      case 2: return .discrete
      case 3, 6, 16: return .holding
      case 4: return .input
      default: continue
      }
    }
    return nil
  }

  // MARK: Numbers

  /// `0.1`, `0,1`, `x0.1`, `×0,01`, `*10`, `1/10`, `/10`, `÷10`, `10^-1`, `10⁻²`, `1E-3`; nil for anything else.
  static func factor(_ text: String) -> Double? {
    var rest = text.filter { $0 != " " }[...]
    while let first = rest.first, "x×*".contains(first) { rest = rest.dropFirst() }
    if let first = rest.first, "/÷:".contains(first) {
      return decimal(rest.dropFirst()).flatMap { $0 == 0 ? nil : 1 / $0 }
    }
    for sign in ["/", "÷", ":"] {
      if let parts = split(rest, sign), let top = decimal(parts.0), let bottom = decimal(parts.1), bottom != 0 {
        return top / bottom
      }
    }
    if let parts = split(rest, "^"), parts.0 == "10", let power = Int(parts.1) { return powerOfTen(power) }
    if rest.hasPrefix("10"), rest.count > 2 {
      let raised = rest.dropFirst(2).map { superscripts[$0] ?? "?" }.joined()
      if let power = Int(raised) { return powerOfTen(power) }
    }
    return decimal(rest)
  }

  private static let superscripts: [Character: String] = [
    "⁻": "-", "⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9",
  ]

  static func powerOfTen(_ power: Int) -> Double? {
    guard (-12...12).contains(power) else { return nil }
    let size = (0..<abs(power)).reduce(1.0) { size, _ in size * 10 }
    return power < 0 ? 1 / size : size
  }

  /// A number with a decimal point or comma; with both, the last one is the decimal sign.
  static func decimal(_ text: some StringProtocol) -> Double? {
    var plain = String(text).filter { $0 != " " && $0 != "'" }
    if let comma = plain.lastIndex(of: ",") {
      if let point = plain.lastIndex(of: "."), point > comma {
        plain = plain.filter { $0 != "," }
      } else {
        plain = String(plain.filter { $0 != "." }.map { $0 == "," ? "." : $0 })
      }
    }
    guard let first = plain.utf8.first, (0x30...0x39).contains(first) || [0x2B, 0x2D, 0x2E].contains(first) else {
      return nil
    }
    guard let value = Double(plain), value.isFinite else { return nil }
    return value
  }

  /// `0…100`, `0-100`, `[-40;85]`, `0 to 100`, `0~1`.
  static func range(_ text: String) -> (Double, Double)? {
    let plain = String(text.filter { !"[]()".contains($0) })
    for separator in ["...", "..", "…", " to ", " bis ", "~", ";", ", ", " - ", "–"] {
      if let parts = split(plain[...], separator), let low = decimal(parts.0), let high = decimal(parts.1), low < high {
        return (low, high)
      }
    }
    // A hyphen behind a digit divides; one before is a sign.
    for index in plain.indices where plain[index] == "-" && index > plain.startIndex {
      guard plain[plain.index(before: index)].isNumber else { continue }
      if let low = decimal(plain[..<index]), let high = decimal(plain[plain.index(after: index)...]), low < high {
        return (low, high)
      }
    }
    return nil
  }

  /// `0.1V`, `0,01 A`, `x10 Wh`: the factor, and the unit behind it. The unit alone has the factor 1.
  static func unit(_ text: String) -> (factor: Double, unit: String) {
    let split = text.firstIndex { !($0.isNumber || ".,x×* ".contains($0)) } ?? text.endIndex
    guard split > text.startIndex, let factor = factor(String(text[..<split])), factor != 0, split < text.endIndex
    else {
      return (1, text)
    }
    // "1/min" and "10*3" are units by themselves.
    guard text[split] != "/", text[split] != "^" else { return (1, text) }
    return (factor, String(text[split...]))
  }

  // MARK: Access

  enum Access { case read, readWrite, write }

  static func access(_ text: String) -> Access? {
    let words = RegisterListColumns.words(text)
    switch words.joined() {
    case "": return nil
    case "r", "ro", "read", "readonly", "lesen", "l", "lecture", "lectura", "no", "n", "ronly": return .read
    case "w", "wo", "write", "writeonly", "schreiben", "e": return .write
    case "rw", "wr", "readwrite", "writeread", "lesenschreiben", "rrw", "le", "ls", "yes", "y", "rwnv":
      return .readWrite
    default:
      let canWrite = words.contains { $0.hasPrefix("w") || $0.hasPrefix("schreib") || $0 == "rw" }
      let canRead = words.contains { $0.hasPrefix("r") || $0.hasPrefix("les") }
      return canWrite ? (canRead ? .readWrite : .write) : canRead ? .read : nil
    }
  }
}
