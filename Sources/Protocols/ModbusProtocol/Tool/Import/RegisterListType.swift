/// A column's data type as encoding: `U16`, `UINT32 (LE)`, `Float`, `STR32`, `Bitfield16`.
struct RegisterListType: Sendable, Hashable {
  var encoding: RegisterEncoding
  /// Registers of a text; nil where the list has to say it by its length.
  var registers: Int?
  /// As far as the type says it.
  var order: RegisterOrder?

  /// `count` is what the list says of the number of registers; nil where it says nothing. Nil for a type that is none
  /// known, or whose width is not `count`.
  init?(_ text: String, count: Int?) {
    let words = RegisterListColumns.words(text)
    order = Self.order(words)
    let plain = words.filter { !Self.orderWords.contains($0) && RegisterOrder(rawValue: $0.uppercased()) == nil }
      .joined()
    guard let found = Self.encoding(plain, count) else { return nil }
    encoding = found
    if found == .string {
      let digits = plain.drop { !$0.isNumber }.prefix { $0.isNumber }
      registers = count ?? Int(digits).map { ($0 + 1) / 2 }
      return
    }
    guard let count else { return }
    guard found == .bit || found.registerCount == count else { return nil }
  }

  /// The order by the list's own words: `ABCD`, `big endian`, `LE`, `word swap`, `low word first`.
  static func order(_ words: [String]) -> RegisterOrder? {
    for word in words { if let order = RegisterOrder(rawValue: word.uppercased()) { return order } }
    let joined = words.joined(separator: " ")
    if joined.contains("low word first") || joined.contains("lsw first") || joined.contains("word swap")
      || joined.contains("swapped") || words.contains("sw")
    {
      return .cdab
    }
    if joined.contains("high word first") || joined.contains("msw first") || words.contains("be")
      || joined.contains("big endian")
    {
      return .abcd
    }
    if words.contains("le") || joined.contains("little endian") { return .cdab }
    return nil
  }

  private static let orderWords: Set<String> = [
    "be", "le", "big", "little", "endian", "word", "swap", "swapped", "sw", "low", "high", "first", "msw", "lsw",
  ]

  private static func encoding(_ plain: String, _ count: Int?) -> RegisterEncoding? {
    if plain.isEmpty { return count == 2 ? .uint32 : count == 4 ? .uint64 : (count ?? 1) == 1 ? .uint16 : .string }
    if let known = known[plain] { return widened(known, plain, count) }
    for (front, encoding) in [
      ("string", RegisterEncoding.string), ("str", .string), ("char", .string), ("ascii", .string), ("text", .string),
      ("utf", .string),
    ]
    where plain.hasPrefix(front) { return encoding }
    for (front, kind) in [
      ("bitfield", "uint"), ("enum", "uint"), ("acc", "uint"), ("bitmap", "uint"), ("hex", "uint"), ("word", "uint"),
    ]
    where plain.hasPrefix(front) {
      let digits = String(plain.dropFirst(front.count))
      guard let width = digits.isEmpty ? (count ?? 1) * 16 : Int(digits) else { return nil }
      return RegisterEncoding(rawValue: "\(kind)\(width)")
    }
    // 16 bit unsigned, unsigned integer 32, signed int 16 bits.
    let isUnsigned = plain.contains("unsigned") || plain.contains("uint") || plain.hasPrefix("u")
    let isSigned = plain.contains("signed") || plain.contains("int") || plain.hasPrefix("s") || plain.hasPrefix("i")
    let isFloat = plain.contains("float") || plain.contains("real") || plain.contains("ieee") || plain.hasPrefix("f")
    let isBCD = plain.contains("bcd")
    let digits = plain.drop { !$0.isNumber }.prefix { $0.isNumber }
    let stated = Int(digits).flatMap { [8, 16, 32, 64].contains($0) ? $0 : nil }
    guard isUnsigned || isSigned || isFloat || isBCD, digits.isEmpty || stated != nil || plain.contains("754") else {
      return nil
    }
    let width = stated ?? (count ?? (isFloat ? 2 : 1)) * 16
    return RegisterEncoding(rawValue: (isBCD ? "bcd" : isFloat ? "float" : isUnsigned ? "uint" : "int") + "\(width)")
  }

  /// A type whose name has no width takes that of its registers: INT over two registers is an int32.
  private static func widened(_ encoding: RegisterEncoding, _ plain: String, _ count: Int?) -> RegisterEncoding {
    guard let count, count != encoding.registerCount, unsized.contains(plain) else { return encoding }
    let kind = encoding.rawValue.prefix { !$0.isNumber }
    return RegisterEncoding(rawValue: "\(kind)\(count * 16)") ?? encoding
  }

  private static let unsized: Set<String> = [
    "int", "uint", "integer", "signed", "unsigned", "float", "real", "bcd", "enum", "bitfield", "unsignedint",
    "signedint", "unsignedinteger", "signedinteger", "hex",
  ]

  private static let known: [String: RegisterEncoding] = [
    "u16": .uint16, "uint16": .uint16, "uint": .uint16, "word": .uint16, "ushort": .uint16, "unsigned": .uint16,
    "unsigned16": .uint16, "unsignedint": .uint16, "unsignedinteger": .uint16, "unsignedshort": .uint16,
    "uword": .uint16,
    "enum": .uint16, "enum16": .uint16, "bitfield": .uint16, "hex": .uint16, "uint16t": .uint16,
    "s16": .int16, "i16": .int16, "int16": .int16, "int": .int16, "short": .int16, "signed": .int16, "signed16": .int16,
    "integer": .int16, "sint16": .int16, "sunssf": .int16, "signedint": .int16, "signedinteger": .int16,
    "int16t": .int16, "sword": .int16,
    "u32": .uint32, "uint32": .uint32, "dword": .uint32, "udint": .uint32, "ulong": .uint32, "unsigned32": .uint32,
    "unsignedlong": .uint32, "uint32t": .uint32, "udword": .uint32, "time": .uint32, "unixtime": .uint32,
    "s32": .int32, "i32": .int32, "int32": .int32, "dint": .int32, "long": .int32, "signed32": .int32, "sint32": .int32,
    "signedlong": .int32, "int32t": .int32, "sdword": .int32,
    "u64": .uint64, "uint64": .uint64, "qword": .uint64, "ulint": .uint64, "unsigned64": .uint64, "uint64t": .uint64,
    "s64": .int64, "i64": .int64, "int64": .int64, "lint": .int64, "signed64": .int64, "sint64": .int64,
    "int64t": .int64,
    "float": .float32, "float32": .float32, "real": .float32, "f32": .float32, "ieee754": .float32, "single": .float32,
    "floatingpoint": .float32, "ieee": .float32, "float16": .float16, "f16": .float16, "half": .float16,
    "double": .float64, "float64": .float64, "lreal": .float64, "f64": .float64,
    "bool": .bit, "bit": .bit, "boolean": .bit, "coil": .bit, "digital": .bit,
    "bcd": .bcd16, "bcd16": .bcd16, "bcd32": .bcd32, "bcd64": .bcd64, "byte": .uint8, "u8": .uint8, "uint8": .uint8,
    "s8": .int8, "int8": .int8, "i8": .int8,
  ]
}
