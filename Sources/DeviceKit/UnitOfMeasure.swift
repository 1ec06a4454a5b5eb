/// Units as models write them: UCUM's case-sensitive codes (The Unified Code for Units of Measure, version 2.1), of which
/// the atoms in use in plants are known, and beside them `degC`, `degF` and `var`.
public enum UnitOfMeasure {
  /// Nil for a legal code, else what is wrong with it, with the code that was probably meant.
  public static func fault(in code: String) -> String? {
    var parser = UnitParser(code)
    guard let fault = parser.fault() else { return nil }
    let meant = Self.code(for: code)
    return meant.map { "\(fault): write \($0)" } ?? fault
  }

  /// The code for a unit as register lists write it: `kWh` is `kW.h`, `°C` is `degC`. Nil where none is known; an empty
  /// code for what has no unit.
  public static func code(for text: String) -> String? {
    var plain = ""
    for scalar in text.unicodeScalars where scalar != " " && scalar != "[" && scalar != "]" && scalar != "\u{FE0F}" {
      plain += folded[scalar] ?? String(scalar)
    }
    if let known = spoken[plain] ?? spoken[plain.lowercased()] { return known }
    // A letter case that no other unit has: KWH, HZ, KV.
    if let known = spoken.first(where: { $0.key.lowercased() == plain.lowercased() && plain.count > 2 }) {
      return known.value
    }
    var parser = UnitParser(plain)
    if parser.fault() == nil { return plain }
    // Hours and amperes behind a known unit: kVArh, mAh.
    for ending in ["h", "s"] where plain.hasSuffix(ending) && plain.count > 1 {
      let front = String(plain.dropLast())
      var parser = UnitParser(spoken[front] ?? front)
      if parser.fault() == nil { return (spoken[front] ?? front) + "." + ending }
    }
    return nil
  }

  private static let folded: [UnicodeScalar: String] = [
    "°": "deg", "º": "deg", "µ": "u", "μ": "u", "Ω": "Ohm", "\u{2126}": "Ohm", "³": "3", "²": "2", "·": ".", "*": ".",
    "％": "%", "℃": "degC",
  ]

  /// Spellings of register lists, without spaces and brackets.
  private static let spoken: [String: String] = [
    "": "", "-": "", "--": "", "none": "", "n/a": "", "/": "", "1": "", "bool": "", "enum": "", "string": "",
    "text": "",
    "C": "degC", "Cel": "degC", "celsius": "degC", "F": "degF", "VA": "V.A", "kVA": "kV.A", "MVA": "MV.A",
    "VAr": "var", "VAR": "var", "kVAr": "kvar", "kVAR": "kvar", "Var": "var", "MVAr": "Mvar", "MVAR": "Mvar",
    "Wh": "W.h", "kWh": "kW.h", "MWh": "MW.h", "GWh": "GW.h", "VAh": "V.A.h", "kVAh": "kV.A.h", "MVAh": "MV.A.h",
    "varh": "var.h", "VArh": "var.h", "kvarh": "kvar.h", "kVArh": "kvar.h", "Mvarh": "Mvar.h", "Ah": "A.h",
    "mAh": "mA.h", "kAh": "kA.h", "rpm": "/min", "1/min": "/min", "r/min": "/min", "min-1": "/min", "U/min": "/min",
    "1/s": "/s", "m3/h": "m3/h", "m^3": "m3", "m^3/h": "m3/h", "l/h": "l/h", "lpm": "l/min", "ppm": "[ppm]",
    "ppb": "[ppb]", "pH": "[pH]", "ohm": "Ohm", "kohm": "kOhm", "sec": "s", "secs": "s", "seconds": "s", "second": "s",
    "minutes": "min", "minute": "min", "mins": "min", "hours": "h", "hour": "h", "hrs": "h", "hr": "h", "days": "d",
    "day": "d", "%rh": "%", "rh%": "%", "percent": "%", "volt": "V", "volts": "V", "ampere": "A", "amps": "A",
    "watt": "W", "watts": "W", "hertz": "Hz", "degree": "deg", "degrees": "deg", "km/h": "km/h", "psi": "[psi]",
    "nm": "N.m", "Nm": "N.m", "lux": "lx", "K": "K", "bar": "bar", "mbar": "mbar",
  ]
}

/// Reads `term = ["/"] component {("." | "/") component}`, where a component is a number, a term in parentheses or an
/// atom with its prefix, an exponent behind it, and an annotation in braces.
private struct UnitParser {
  private var rest: Substring.UTF8View
  private let code: String

  init(_ code: String) {
    self.code = code
    rest = code[...].utf8
  }

  mutating func fault() -> String? {
    guard !code.isEmpty, code.utf8.count <= 32 else { return "a unit has 1 to 32 characters" }
    guard code.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return "'\(code)' has characters that no UCUM code has"
    }
    if let fault = term(depth: 0) { return fault }
    return rest.isEmpty ? nil : "'\(code)' is no UCUM code from '\(String(rest) ?? "")' on"
  }

  private mutating func term(depth: Int) -> String? {
    if rest.first == UInt8(ascii: "/") { rest = rest.dropFirst() }
    while true {
      if let fault = component(depth: depth) { return fault }
      guard let next = rest.first, next == UInt8(ascii: ".") || next == UInt8(ascii: "/") else { return nil }
      rest = rest.dropFirst()
    }
  }

  private mutating func component(depth: Int) -> String? {
    if rest.first == UInt8(ascii: "("), depth < 4 {
      rest = rest.dropFirst()
      if let fault = term(depth: depth + 1) { return fault }
      guard rest.first == UInt8(ascii: ")") else { return "'\(code)' lacks a closing parenthesis" }
      rest = rest.dropFirst()
      return nil
    }
    let word = String(rest.prefix { !".(){}/".utf8.contains($0) }) ?? ""
    rest = rest.dropFirst(word.utf8.count)
    let hasAnnotation = rest.first == UInt8(ascii: "{")
    if hasAnnotation {
      guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return "'\(code)' lacks a closing brace" }
      rest = rest[rest.index(after: end)...]
    }
    if word.isEmpty { return hasAnnotation ? nil : "'\(code)' lacks a unit before or after . or /" }
    if word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return nil }
    return Self.isUnit(word) ? nil : "'\(word)' is no unit known"
  }

  /// An atom with its exponent, and its prefix where it is metric.
  private static func isUnit(_ word: String) -> Bool {
    var atom = word[...]
    if !word.hasPrefix("10*") {
      while let last = atom.utf8.last, (0x30...0x39).contains(last) { atom = atom.dropLast() }
    } else {
      atom = "10*"
      let exponent = word.dropFirst(3)
      return exponent.isEmpty || Int(exponent) != nil
    }
    if let sign = atom.utf8.last, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+"),
      atom.utf8.count < word.utf8.count
    {
      atom = atom.dropLast()
    }
    if metric.contains(String(atom)) || plain.contains(String(atom)) { return true }
    return prefixes.contains { atom.hasPrefix($0) && metric.contains(String(atom.dropFirst($0.count))) }
  }

  private static let prefixes = [
    "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y", "Ki", "Mi",
    "Gi",
    "Ti",
  ]
  private static let metric: Set<String> = [
    "m", "g", "s", "K", "A", "cd", "mol", "rad", "sr", "Hz", "N", "Pa", "J", "W", "C", "V", "F", "Ohm", "S", "Wb", "T",
    "H",
    "lm", "lx", "Bq", "Gy", "Sv", "Cel", "L", "l", "t", "bar", "eV", "u", "B", "cal", "kat", "bit", "By", "Bd", "var",
    "ar", "Np",
  ]
  private static let plain: Set<String> = [
    "%", "min", "h", "d", "wk", "mo", "a", "deg", "'", "''", "degC", "degF", "[degF]", "[degR]", "[ppth]", "[ppm]",
    "[ppb]", "[pptr]", "[pH]", "[psi]", "[HP]", "[gal_us]", "[gal_br]", "[in_i]", "[ft_i]", "[mi_i]", "[lb_av]",
    "[oz_av]", "[kn_i]", "[g]", "[Btu_IT]", "atm", "gf", "m[H2O]", "m[Hg]", "mm[H2O]", "mm[Hg]", "har", "att",
  ]
}
