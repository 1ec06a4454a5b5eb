package import DeviceKit
internal import Documents

/// The template of what is published to set a property: text with `{value}` in it.
///
/// Outside quotes `{value}` becomes the value as JSON, `21.5` or `"auto"`; between the quotes of a JSON string it
/// becomes the value's bare text, escaped. With the encoding `text` it is always the bare text.
package struct SetPayload: Sendable, Hashable {
  private enum Part: Sendable, Hashable {
    case text(String)
    case json
    case insideString
    case bare
  }
  private let parts: [Part]

  package init(_ template: String, isText: Bool) {
    var parts: [Part] = []
    var isInString = false
    var rest = template[...]
    while let place = rest.firstRange(ofText: "{value}") {
      let before = rest[..<place.lowerBound]
      var isEscaped = false
      for character in before.utf8 {
        if isEscaped {
          isEscaped = false
        } else if character == UInt8(ascii: "\\"), isInString {
          isEscaped = true
        } else if character == UInt8(ascii: "\"") {
          isInString.toggle()
        }
      }
      if !before.isEmpty { parts.append(.text(String(before))) }
      parts.append(isText ? .bare : isInString ? .insideString : .json)
      rest = rest[place.upperBound...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  package func bytes(for value: Value) -> [UInt8] {
    var output: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let text): output.append(contentsOf: text.utf8)
      case .bare: output.append(contentsOf: SetPayload.bareText(of: value).utf8)
      case .json:
        switch value {
        case .unsigned(let number): output.append(contentsOf: number.description.utf8)
        case .object(let json): json.write(to: &output)
        case .boolean, .integer, .number, .string: value.json.write(to: &output)
        }
      case .insideString:
        var quoted: [UInt8] = []
        JSONValue.write(string: SetPayload.bareText(of: value), to: &quoted)
        output.append(contentsOf: quoted.dropFirst().dropLast())
      }
    }
    return output
  }

  private static func bareText(of value: Value) -> String {
    switch value {
    case .string(let text): text
    case .unsigned(let number): number.description
    default: value.json.description
    }
  }
}

extension Substring {
  /// Where `text` (ASCII) stands first.
  fileprivate func firstRange(ofText text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
