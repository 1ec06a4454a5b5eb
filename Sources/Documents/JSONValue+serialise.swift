extension JSONValue: CustomStringConvertible {
  /// The value as compact JSON, keys sorted: equal values give equal bytes.
  public var description: String { String(decoding: serialised(), as: UTF8.self) }

  /// The value as JSON bytes, keys sorted. `pretty` indents by two spaces.
  public func serialised(pretty: Bool = false) -> [UInt8] {
    var output: [UInt8] = []
    write(to: &output, indent: pretty ? 0 : nil)
    if pretty { output.append(0x0A) }
    return output
  }

  /// Appends the value as JSON, keys sorted.
  public func write(to output: inout [UInt8]) { write(to: &output, indent: nil) }

  private func write(to output: inout [UInt8], indent: Int?) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): output.append(contentsOf: value.description.utf8)
    case .unsigned(let value): output.append(contentsOf: value.description.utf8)
    case .double(let value):
      output.append(contentsOf: (value.isFinite ? JSONValue.shortest(value) : "null").utf8)
    case .string(let value): JSONValue.write(string: value, to: &output)
    case .array(let elements):
      writeList(elements, brackets: (0x5B, 0x5D), to: &output, indent: indent) { element, output, indent in
        element.write(to: &output, indent: indent)
      }
    case .object(let members):
      let sorted = members.sorted { $0.key < $1.key }
      writeList(sorted, brackets: (0x7B, 0x7D), to: &output, indent: indent) { member, output, indent in
        JSONValue.write(string: member.key, to: &output)
        output.append(UInt8(ascii: ":"))
        if indent != nil { output.append(0x20) }
        member.value.write(to: &output, indent: indent)
      }
    }
  }

  /// The shortest text that reads back as the same double; whole numbers below 2^53 carry no `.0`.
  private static func shortest(_ value: Double) -> String {
    if value.rounded() == value, value.magnitude < 9_007_199_254_740_992 {
      return value == 0 ? (value.sign == .minus ? "-0.0" : "0") : Int64(value).description
    }
    return value.description
  }

  private func writeList<Element>(
    _ elements: [Element], brackets: (UInt8, UInt8), to output: inout [UInt8], indent: Int?,
    _ writeElement: (Element, inout [UInt8], Int?) -> Void
  ) {
    output.append(brackets.0)
    let inner = indent.map { $0 + 2 }
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      JSONValue.newline(to: &output, indent: inner)
      writeElement(element, &output, inner)
    }
    if !elements.isEmpty { JSONValue.newline(to: &output, indent: indent) }
    output.append(brackets.1)
  }

  private static func newline(to output: inout [UInt8], indent: Int?) {
    guard let indent else { return }
    output.append(0x0A)
    output.append(contentsOf: repeatElement(0x20, count: indent))
  }

  /// Appends `string` in quotes, escaped as RFC 8259 section 7 asks.
  public static func write(string: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case 0x0A: output.append(contentsOf: "\\n".utf8)
      case 0x0D: output.append(contentsOf: "\\r".utf8)
      case 0x09: output.append(contentsOf: "\\t".utf8)
      case 0..<0x20:
        output.append(contentsOf: "\\u00".utf8)
        output.append(contentsOf: [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 })
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
