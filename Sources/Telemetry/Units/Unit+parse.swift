extension Unit {
  /// Why a text is no unit that is known.
  package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
  }

  /// Reads units joined by `.` and `/` (each `/` divides by the one unit after it), with whole exponents (`m3`, `s-1`)
  /// and annotations in braces, which count as 1. A unit with an offset, as of temperature, stands alone.
  package init(_ text: String) throws(Problem) {
    let spelled = UnitTable.dialects[text] ?? text
    guard !spelled.isEmpty, spelled.utf8.count <= 32 else { throw Problem(description: "'\(text)' is no unit") }
    if let alone = try Self.simple(spelled, in: text) {
      self = alone
      return
    }
    var product = Unit(.none, factor: 1)
    var rest = Substring(spelled)
    var isDivided = false
    repeat {
      if rest.first == "/" || rest.first == "." {
        isDivided = rest.first == "/"
        rest = rest.dropFirst()
      }
      let end = Self.end(of: rest)
      let (unit, exponent) = try Self.power(rest[..<end], in: text)
      guard unit.offset == 0 else {
        throw Problem(description: "'\(text)': a unit with an offset cannot be part of another; use K for differences")
      }
      let times = isDivided ? -exponent : exponent
      product.dimension = product.dimension.adding(unit.dimension, times: times)
      for _ in 0..<times.magnitude {
        product.factor = times > 0 ? product.factor * unit.factor : product.factor / unit.factor
      }
      rest = rest[end...]
    } while !rest.isEmpty
    self = product
  }

  /// Where the unit that begins `text` ends: at the next `.` or `/` outside of brackets and braces.
  private static func end(of text: Substring) -> Substring.Index {
    var depth = 0
    for index in text.indices {
      switch text[index] {
      case "[", "{": depth += 1
      case "]", "}": depth -= 1
      case ".", "/": if depth == 0 { return index }
      default: break
      }
    }
    return text.endIndex
  }

  private static func power(_ word: Substring, in text: String) throws(Problem) -> (Unit, Int) {
    guard !word.isEmpty else { throw Problem(description: "'\(text)': expected a unit on both sides of . and /") }
    if word.first == "{", word.last == "}" { return (Unit(.none, factor: 1), 1) }
    let name = word.prefix(while: { $0 != "{" })
    if let unit = try simple(String(name), in: text) { return (unit, 1) }
    if let number = Double(name), number > 0, number.isFinite { return (Unit(.none, factor: number), 1) }
    var digits = name.count
    while digits > 0, let last = name.prefix(digits).last, last.isASCII, last.isNumber { digits -= 1 }
    var stem = name.prefix(digits)
    var exponent = Int(name.dropFirst(digits))
    if stem.last == "-" || stem.last == "+" {
      if stem.last == "-" { exponent = exponent.map { -$0 } }
      stem = stem.dropLast()
    }
    guard let exponent, (-9...9).contains(exponent), let unit = try simple(String(stem), in: text) else {
      throw Problem(
        description: "'\(word)' is no unit that is known; units are spelled as in UCUM: kW, m3/h, Cel, [degF]")
    }
    return (unit, exponent)
  }

  /// One unit, with or without a prefix; nil where it is none.
  private static func simple(_ name: String, in text: String) throws(Problem) -> Unit? {
    if let entry = UnitTable.units[name] { return entry.unit }
    for (prefix, factor) in UnitTable.prefixes where name.hasPrefix(prefix) {
      guard let entry = UnitTable.units[String(name.dropFirst(prefix.count))], entry.isMetric else { continue }
      guard entry.unit.offset == 0 else {
        throw Problem(description: "'\(text)': a unit with an offset takes no prefix")
      }
      return Unit(entry.unit.dimension, factor: entry.unit.factor * factor)
    }
    return nil
  }
}
