/// Which column of a register list says what, by its heading.
struct RegisterListColumns: Sendable, Hashable {
  enum Meaning: Sendable, Hashable, CaseIterable {
    case name, address, function, type, count, unit, scale, gain, decimals, offset, access, minimum, maximum, range,
      order,
      bit, remark
  }
  private(set) var columns: [Meaning: Int] = [:]
  /// Whether the heading of the addresses says that they are hexadecimal.
  private(set) var hasHexadecimalAddresses = false

  /// Nil for a row that is no heading: it has an address and at least two more columns that are known.
  init?(_ cells: [String]) {
    for (index, cell) in cells.enumerated() {
      let words = Self.words(cell)
      guard let meaning = Self.meaning(words), columns[meaning] == nil else { continue }
      columns[meaning] = index
      if meaning == .address { hasHexadecimalAddresses = words.contains("hex") || words.contains("hexadecimal") }
    }
    // A list of addresses in both notations: the decimal ones are taken.
    if hasHexadecimalAddresses,
      let other = cells.indices.first(where: { index in
        let words = Self.words(cells[index])
        return index != columns[.address]
          && (Self.meaning(words) == .address || words == ["dec"] || words == ["decimal"])
          && !words.contains("hex")
      })
    {
      columns[.address] = other
      hasHexadecimalAddresses = false
    }
    // "Offset" alone is where the register is.
    if columns[.address] == nil, let offset = columns.removeValue(forKey: .offset) { columns[.address] = offset }
    if columns[.name] == nil, let remark = columns.removeValue(forKey: .remark) { columns[.name] = remark }
    guard columns[.address] != nil, columns.count >= 3 || (columns.count == 2 && columns[.name] != nil) else {
      return nil
    }
  }

  /// The row's cell in the column; empty where it has none.
  func text(_ meaning: Meaning, in cells: [String]) -> String {
    guard let column = columns[meaning], column < cells.count else { return "" }
    let text = cells[column]
    return ["-", "--", "---", "/", "n/a", "N/A", "n.a."].contains(text) ? "" : text
  }

  func has(_ meaning: Meaning) -> Bool { columns[meaning] != nil }

  /// `Register Address (dec)` is `register address dec`; umlauts and accents without their marks.
  static func words(_ text: String) -> [String] {
    let folded = text.lowercased().unicodeScalars.map { marks[$0].map(String.init) ?? String($0) }.joined()
    return folded.split { !$0.isLetter && !$0.isNumber && $0 != "#" }.map(String.init)
  }

  private static let marks: [UnicodeScalar: Character] = [
    "ä": "a", "à": "a", "á": "a", "â": "a", "ö": "o", "ó": "o", "ô": "o", "ü": "u", "ú": "u", "é": "e", "è": "e",
    "ê": "e",
    "í": "i", "ñ": "n", "ç": "c", "ß": "s",
  ]

  private static func meaning(_ words: [String]) -> Meaning? {
    guard !words.isEmpty else { return nil }
    let joined = words.joined()
    if let exact = known[joined] { return exact }
    let set = Set(words)
    func has(_ options: String...) -> Bool { options.contains { set.contains($0) } }
    if has("order", "endian", "endianness", "swap") { return .order }
    if has("type", "typ", "format", "datentyp", "datatype", "dataformat") {
      return has("register", "object", "function", "table") && !has("data") ? .function : .type
    }
    if has("function", "functioncode", "fc", "funktion", "funktionscode", "fonction", "funcion", "table", "area") {
      return .function
    }
    if has("no", "number", "num", "quantity", "qty", "anzahl", "nombre", "size", "length", "len", "lange", "words")
      && has(
        "registers", "words", "reg", "register", "regs", "size", "length", "of", "lange", "quantity", "qty", "anzahl",
        "len"),
      !(has("no", "number") && has("register", "reg") && !has("of"))
    {
      return .count
    }
    if has("address", "addr", "adr", "adresse", "direccion", "indirizzo", "register", "reg", "registre", "registro") {
      return has("name", "description", "bezeichnung") ? .name : .address
    }
    if has("gain", "divisor", "divider", "division") { return .gain }
    if has(
      "scale", "scaling", "factor", "faktor", "multiplier", "skalierung", "facteur", "resolution", "auflosung",
      "coefficient", "coeff")
    {
      return .scale
    }
    if has("decimals", "decimal", "nachkommastellen") { return .decimals }
    if has("offset") { return .offset }
    if has("unit", "units", "einheit", "unite", "unidad", "unita", "uom") { return .unit }
    if has("access", "rw", "zugriff", "acces", "acceso", "permission", "readwrite", "writable", "rights", "attribute") {
      return .access
    }
    if has("min", "minimum") { return has("max", "maximum") ? .range : .minimum }
    if has("max", "maximum") { return .maximum }
    if has("range", "scope", "bereich", "wertebereich", "limits", "plage") { return .range }
    if has(
      "name", "parameter", "signal", "variable", "bezeichnung", "designation", "label", "tag", "point", "measurement",
      "messwert", "nom")
    {
      return .name
    }
    if has("bit") { return .bit }
    if has(
      "remark", "remarks", "note", "notes", "comment", "comments", "description", "bemerkung", "beschreibung",
      "kommentar", "descripcion", "descrizione")
    {
      return .remark
    }
    return nil
  }

  private static let known: [String: Meaning] = [
    "rw": .access, "rwro": .access, "readwrite": .access, "rorw": .access, "mode": .access, "size": .count,
    "length": .count, "count": .count, "#": .count,
    "registers": .count, "words": .count, "quantity": .count, "lange": .count, "anzahl": .count, "len": .count,
    "dec": .address, "offset": .offset, "registername": .name, "registernumber": .address, "registerno": .address,
    "registertype": .function, "objecttype": .function, "modbustype": .function, "datatype": .type, "encoding": .type,
    "typedata": .type, "value": .name, "item": .name, "data": .name, "decimalplaces": .decimals,
  ]
}
