extension JSONParser {
  /// Reads what `projection` names of the one object in the text. What is skipped is not checked, beyond its brackets
  /// and quotes: for texts that were written by ``JSONValue/serialised(pretty:)``.
  ///
  /// - Parameter noting: a key of the outermost object.
  /// - Returns: the parts, and where the value of `noting` stands in the text; nil where there is no such member.
  public mutating func parse(
    only projection: JSONProjection, noting: StaticString? = nil
  ) throws(JSONError) -> (value: JSONValue, noted: Range<Int>?) {
    var noted: Range<Int>?
    let value = try projected(projection, depth: 0, noting: noting, &noted)
    return (value, noted)
  }

  private mutating func projected(
    _ projection: JSONProjection, depth: Int, noting: StaticString?, _ noted: inout Range<Int>?
  ) throws(JSONError) -> JSONValue {
    skipWhitespace()
    guard position < bytes.count else { throw error("unexpected end of the text") }
    guard bytes[position] == UInt8(ascii: "{"), !projection.isWhole || noting != nil else {
      return try value(depth: depth)
    }
    position += 1
    var members: [String: JSONValue] = [:]
    while true {
      skipWhitespace()
      guard position < bytes.count else { throw error("unexpected end of the text") }
      switch bytes[position] {
      case UInt8(ascii: "}"):
        position += 1
        return .object(members)
      case UInt8(ascii: ","):
        position += 1
        continue
      case UInt8(ascii: "\""): break
      default: throw error("expected a key in quotes")
      }
      let start = position
      skipString()
      let key = start + 1..<max(position - 1, start + 1)
      skipWhitespace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw error("expected ':'") }
      position += 1
      skipWhitespace()
      let beginning = position
      if let wanted = projection.member(bytes, key) {
        position = start
        let name = if let name = wanted.name { name } else { try string() }
        position = beginning
        members[name] = try projected(wanted.projection, depth: depth + 1, noting: nil, &noted)
      } else {
        try skipValue()
      }
      if let noting, noting.utf8CodeUnitCount == key.count,
        bytes[key].elementsEqual(UnsafeBufferPointer(start: noting.utf8Start, count: noting.utf8CodeUnitCount))
      {
        noted = beginning..<position
      }
    }
  }

  /// From an opening quote to behind the closing one, or to the end of the text.
  private mutating func skipString() {
    position = bytes.withUnsafeBufferPointer { Self.endOfString(in: $0, from: position) }
  }

  private static func endOfString(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var index = start + 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""): return index + 1
      case UInt8(ascii: "\\"): index += 2
      default: index += 1
      }
    }
    return bytes.count
  }

  private mutating func skipValue() throws(JSONError) {
    let end = bytes.withUnsafeBufferPointer { bytes -> Int? in
      var index = position
      var depth = 0
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: "\""):
          index = Self.endOfString(in: bytes, from: index)
          if depth == 0 { return index }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          index += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          // The bracket of the object around a number or a word.
          if depth == 0 { return index }
          depth -= 1
          index += 1
          if depth == 0 { return index }
        case UInt8(ascii: ",") where depth == 0: return index
        default: index += 1
        }
      }
      return depth == 0 ? index : nil
    }
    guard let end, end > position else { throw error("unexpected end of the text") }
    position = end
  }
}
