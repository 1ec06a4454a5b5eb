/// One entry of an Accept or Content-Type header (RFC 9110, section 8.3.1 and 12.5.1).
struct MediaRange: Sendable, Equatable {
  /// `application/json`, lower-case.
  var essence: String
  /// Without `q`; names lower-case.
  var parameters: [String: String]
  var quality: Double

  /// Nil for an empty text.
  init?(_ text: String) {
    let parts = text.split(separator: ";")
    guard let first = parts.first.map({ Self.trimmed($0) }), !first.isEmpty else { return nil }
    essence = first.lowercased()
    parameters = [:]
    quality = 1
    for part in parts.dropFirst() {
      let halves = part.split(separator: "=", maxSplits: 1)
      guard halves.count == 2 else { continue }
      let name = Self.trimmed(halves[0]).lowercased()
      let value = Self.trimmed(halves[1]).filter { $0 != "\"" }
      if name == "q" {
        quality = Double(value) ?? 1
      } else {
        parameters[name] = value
      }
    }
  }

  /// An Accept header's entries, the best first; equal ones keep their order. An empty header accepts everything.
  static func accepted(by header: String) -> [MediaRange] {
    let ranges = header.split(separator: ",").compactMap { MediaRange(String($0)) }
    if ranges.isEmpty, let any = MediaRange("*/*") { return [any] }
    return ranges.filter { $0.quality > 0 }.enumerated()
      .sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }.map(\.element)
  }

  /// Whether plain JSON answers it: `application/json` with nothing that changes its shape, or a wildcard.
  var takesJSON: Bool {
    switch essence {
    case "application/json": parameters["as"] == nil
    case "*/*", "application/*": true
    default: false
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let head = text.drop(while: isBlank)
    return String(String(head.reversed().drop(while: isBlank)).reversed())
  }
}
