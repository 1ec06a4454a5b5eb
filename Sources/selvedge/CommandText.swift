import Documents

/// The query of a request: what is nil is left out.
func queryText(_ parameters: [(name: String, value: String?)]) -> String {
  parameters.compactMap { name, value in value.map { "\(name)=\(escaped($0))" } }.joined(separator: "&")
}

/// Everything but RFC 3986's unreserved characters, percent-encoded.
func escaped(_ text: String) -> String {
  var result = ""
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      result.unicodeScalars.append(Unicode.Scalar(byte))
    default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }
  return result
}

/// A JSON value in a table: a text without its quotes, nothing where there is none.
func cell(_ value: JSONValue?) -> String { value?.string ?? (value?.isNull ?? true ? "" : value?.description ?? "") }

/// Rows of cells as aligned lines; the first row is the head, the last column is not padded.
func textTable(_ rows: [[String]]) -> String {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    var line = ""
    for (column, text) in row.enumerated() {
      line += text
      if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - text.count + 3) }
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }.joined()
}

/// The same rows as CSV (RFC 4180, but for line ends of LF alone).
func csvText(_ rows: [[String]]) -> String {
  rows.map { row in
    row.map { text in
      text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
        ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" : text
    }.joined(separator: ",") + "\n"
  }.joined()
}
