/// Why a text is not JSON (RFC 8259), and where: `offset` counts bytes from 0.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public var offset: Int
  public var description: String { "\(message) at byte \(offset)" }
  public init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}

/// Reads one JSON text strictly: UTF-8 is checked, depth is bounded, a duplicate key keeps its last value and is noted.
public struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  private let maximumDepth: Int
  /// Dotted paths of keys that occurred twice in one object, in order.
  public private(set) var duplicateKeys: [String] = []
  private var path: [Step] = []
  /// Further duplicates are not told.
  public static let maximumDuplicates = 64

  /// A path as Kubernetes writes it: members after dots, elements `[i]` without.
  public static func text(ofPath path: [String]) -> String {
    path.reduce(into: "") { text, part in text += text.isEmpty || part.hasPrefix("[") ? part : ".\(part)" }
  }

  /// Made into text only where a duplicate is found.
  private enum Step {
    case key(String)
    case index(Int)
  }

  public init(_ bytes: [UInt8], maximumDepth: Int = 128) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  /// The one value of the text; anything but whitespace after it is an error.
  public mutating func parse() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipWhitespace()
    guard position == bytes.count else { throw error("unexpected text after the value") }
    return value
  }

  private var pathText: String {
    let steps = path.map { step in
      switch step {
      case .key(let key): key
      case .index(let index): "[\(index)]"
      }
    }
    return Self.text(ofPath: steps)
  }

  func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

  mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < maximumDepth else { throw error("nested deeper than \(maximumDepth)") }
    skipWhitespace()
    guard position < bytes.count else { throw error("unexpected end of the text") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default: return try number()
    }
  }

  private mutating func literal(_ text: StaticString) throws(JSONError) {
    guard position + text.utf8CodeUnitCount <= bytes.count else { throw error("unexpected end of the text") }
    for index in 0..<text.utf8CodeUnitCount where bytes[position + index] != text.utf8Start[index] {
      throw error("expected '\(text)'")
    }
    position += text.utf8CodeUnitCount
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var members: [String: JSONValue] = [:]
    skipWhitespace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipWhitespace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw error("expected a key in quotes")
      }
      let key = try string()
      skipWhitespace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw error("expected ':'") }
      position += 1
      path.append(.key(key))
      if members.updateValue(try value(depth: depth + 1), forKey: key) != nil {
        if duplicateKeys.count < Self.maximumDuplicates { duplicateKeys.append(pathText) }
      }
      path.removeLast()
      skipWhitespace()
      guard position < bytes.count else { throw error("unexpected end of the text") }
      if bytes[position] == UInt8(ascii: ",") {
        position += 1
        continue
      }
      guard bytes[position] == UInt8(ascii: "}") else { throw error("expected ',' or '}'") }
      position += 1
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipWhitespace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      path.append(.index(elements.count))
      elements.append(try value(depth: depth + 1))
      path.removeLast()
      skipWhitespace()
      guard position < bytes.count else { throw error("unexpected end of the text") }
      if bytes[position] == UInt8(ascii: ",") {
        position += 1
        continue
      }
      guard bytes[position] == UInt8(ascii: "]") else { throw error("expected ',' or ']'") }
      position += 1
      return .array(elements)
    }
  }

  mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    var escaped = false
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let text = escaped ? try unescaped(from: start, to: position) : try utf8(from: start, to: position)
        position += 1
        return text
      }
      guard byte >= 0x20 else { throw error("control character in a string") }
      if byte == UInt8(ascii: "\\") {
        escaped = true
        position += 1
      }
      position += 1
    }
    throw error("string without an end")
  }

  private func utf8(from start: Int, to end: Int) throws(JSONError) -> String {
    let text = String(validating: bytes[start..<end], as: UTF8.self)
    guard let text else { throw JSONError(message: "invalid UTF-8 in a string", offset: start) }
    return text
  }

  private func unescaped(from start: Int, to end: Int) throws(JSONError) -> String {
    var units: [UInt8] = []
    units.reserveCapacity(end - start)
    var index = start
    func hex(_ at: Int) throws(JSONError) -> UInt32 {
      guard at + 4 <= end else { throw JSONError(message: "short \\u escape", offset: at) }
      var code: UInt32 = 0
      for offset in 0..<4 {
        guard let digit = Character(UnicodeScalar(bytes[at + offset])).hexDigitValue else {
          throw JSONError(message: "bad \\u escape", offset: at)
        }
        code = code << 4 | UInt32(digit)
      }
      return code
    }
    while index < end {
      let byte = bytes[index]
      guard byte == UInt8(ascii: "\\") else {
        units.append(byte)
        index += 1
        continue
      }
      index += 1
      guard index < end else { throw JSONError(message: "bad escape", offset: index) }
      switch bytes[index] {
      case UInt8(ascii: "n"): units.append(0x0A)
      case UInt8(ascii: "t"): units.append(0x09)
      case UInt8(ascii: "r"): units.append(0x0D)
      case UInt8(ascii: "b"): units.append(0x08)
      case UInt8(ascii: "f"): units.append(0x0C)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(bytes[index])
      case UInt8(ascii: "u"):
        var code = try hex(index + 1)
        index += 4
        if (0xD800..<0xDC00).contains(code), index + 6 < end + 1, index + 2 < end,
          bytes[index + 1] == UInt8(ascii: "\\"), bytes[index + 2] == UInt8(ascii: "u")
        {
          let low = try hex(index + 3)
          if (0xDC00..<0xE000).contains(low) {
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            index += 6
          }
        }
        guard let scalar = UnicodeScalar(code) else {
          throw JSONError(message: "lone surrogate in a \\u escape", offset: index)
        }
        if let encoded = UTF8.encode(scalar) { units.append(contentsOf: encoded) }
      default: throw JSONError(message: "bad escape", offset: index)
      }
      index += 1
    }
    guard let text = String(validating: units, as: UTF8.self) else {
      throw JSONError(message: "invalid UTF-8 in a string", offset: start)
    }
    return text
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var isInteger = true
    func isDigit(_ at: Int) -> Bool { at < bytes.count && bytes[at] >= 0x30 && bytes[at] <= 0x39 }
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    guard isDigit(position) else { throw error("expected a value") }
    if bytes[position] == UInt8(ascii: "0"), isDigit(position + 1) { throw error("number with a leading zero") }
    while isDigit(position) { position += 1 }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      guard isDigit(position) else { throw error("number without a digit after '.'") }
      while isDigit(position) { position += 1 }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      guard isDigit(position) else { throw error("number without a digit in its exponent") }
      while isDigit(position) { position += 1 }
    }
    let text = try utf8(from: start, to: position)
    if isInteger {
      if let value = Int64(text) { return .integer(value) }
      if let value = UInt64(text) { return .unsigned(value) }
    }
    guard let value = Double(text), value.isFinite else {
      throw JSONError(message: "number out of range", offset: start)
    }
    return .double(value)
  }
}

extension JSONValue {
  /// The value that a JSON text holds.
  public init(parsing text: some StringProtocol, maximumDepth: Int = 128) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
  }

  /// The value that JSON bytes (UTF-8) hold.
  public init(parsing bytes: [UInt8], maximumDepth: Int = 128) throws(JSONError) {
    var parser = JSONParser(bytes, maximumDepth: maximumDepth)
    self = try parser.parse()
  }
}
