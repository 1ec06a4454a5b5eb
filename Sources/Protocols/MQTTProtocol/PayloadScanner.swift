package import Documents
internal import Glibc

/// What a payload has at a path.
package enum PayloadValue: Sendable, Hashable {
  case missing
  case null
  case boolean(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  /// An object or array.
  case tree(JSONValue)
}

/// Takes the values at wanted paths out of a JSON payload in one pass, without building the tree of the rest.
///
/// It accepts and refuses exactly what ``JSONParser`` does, and reads the same values: the whole text is checked, the
/// last of equal keys counts, integers are exact.
package struct PayloadScanner {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0
  private let tree: PathTree.Columns
  /// By slot.
  private let values: UnsafeMutableBufferPointer<PayloadValue>
  private static let maximumDepth = 128

  /// The values of `tree`'s slots in `payload`; throws where the payload is not JSON.
  package static func values(in payload: [UInt8], at tree: PathTree) throws(JSONError) -> [PayloadValue] {
    var values: [PayloadValue] = []
    let fault = payload.withUnsafeBufferPointer { bytes -> JSONError? in
      do throws(JSONError) {
        try read(bytes, at: tree, into: &values)
        return nil
      } catch {
        return error
      }
    }
    if let fault { throw fault }
    return values
  }

  /// Puts the values of `tree`'s slots in `payload` in place of `values`, whose memory is used again; throws where the
  /// payload is not JSON.
  static func read(
    _ payload: UnsafeBufferPointer<UInt8>, at tree: PathTree, into values: inout [PayloadValue]
  ) throws(JSONError) {
    if values.count == tree.slotCount {
      for slot in values.indices { values[slot] = .missing }
    } else {
      values = [PayloadValue](repeating: .missing, count: tree.slotCount)
    }
    let fault = values.withUnsafeMutableBufferPointer { values in
      tree.withColumns { columns -> JSONError? in
        var scanner = PayloadScanner(bytes: payload, tree: columns, values: values)
        do throws(JSONError) {
          try scanner.value(at: 0, depth: 0)
          scanner.skipWhitespace()
          guard scanner.position == payload.count else { throw scanner.error("unexpected text after the value") }
          return nil
        } catch {
          return error
        }
      }
    }
    if let fault { throw fault }
  }

  private init(
    bytes: UnsafeBufferPointer<UInt8>, tree: PathTree.Columns, values: UnsafeMutableBufferPointer<PayloadValue>
  ) {
    self.bytes = bytes
    self.tree = tree
    self.values = values
  }

  private func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Reads one value; `node` is nil where nothing of it is wanted.
  private mutating func value(at node: Int?, depth: Int) throws(JSONError) {
    guard depth < PayloadScanner.maximumDepth else { throw error("nested deeper than \(PayloadScanner.maximumDepth)") }
    skipWhitespace()
    guard position < bytes.count else { throw error("unexpected end of the text") }
    let start = position
    let isWanted = node.map { !tree.nodes[$0].slots.isEmpty } ?? false
    let found: PayloadValue
    switch bytes[position] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      if bytes[position] == UInt8(ascii: "{") {
        try object(at: node, depth: depth)
      } else {
        try array(at: node, depth: depth)
      }
      guard isWanted else { return }
      found = .tree(try JSONValue(parsing: Array(bytes[start..<position]), maximumDepth: 128 - depth))
    case UInt8(ascii: "\""):
      let (range, isEscaped) = try string()
      guard isWanted else { return }
      found = .string(try text(range, isEscaped))
    case UInt8(ascii: "t"):
      try literal("true")
      found = .boolean(true)
    case UInt8(ascii: "f"):
      try literal("false")
      found = .boolean(false)
    case UInt8(ascii: "n"):
      try literal("null")
      found = .null
    default: found = try number()
    }
    if isWanted, let node {
      for place in tree.nodes[node].slots { values[tree.slots[place]] = found }
    }
  }

  private mutating func literal(_ text: StaticString) throws(JSONError) {
    guard position + text.utf8CodeUnitCount <= bytes.count else { throw error("unexpected end of the text") }
    for index in 0..<text.utf8CodeUnitCount where bytes[position + index] != text.utf8Start[index] {
      throw error("expected '\(text)'")
    }
    position += text.utf8CodeUnitCount
  }

  private mutating func object(at node: Int?, depth: Int) throws(JSONError) {
    position += 1
    skipWhitespace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
      position += 1
      return
    }
    while true {
      skipWhitespace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw error("expected a key in quotes")
      }
      let (range, isEscaped) = try string()
      let child = try node.flatMap { node throws(JSONError) in try self.child(of: node, key: range, isEscaped) }
      skipWhitespace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw error("expected ':'") }
      position += 1
      if let child { forget(under: child) }
      try value(at: child, depth: depth + 1)
      skipWhitespace()
      guard position < bytes.count else { throw error("unexpected end of the text") }
      if bytes[position] == UInt8(ascii: ",") {
        position += 1
        continue
      }
      guard bytes[position] == UInt8(ascii: "}") else { throw error("expected ',' or '}'") }
      position += 1
      return
    }
  }

  /// What an earlier key of the same name had brought no longer counts.
  @inline(__always)
  private func forget(under node: Int) {
    // The value that comes takes the place of one that ended here.
    guard tree.nodes[node].subtree.count > tree.nodes[node].slots.count else { return }
    for place in tree.nodes[node].subtree { values[tree.slots[place]] = .missing }
  }

  private func child(of node: Int, key range: Range<Int>, _ isEscaped: Bool) throws(JSONError) -> Int? {
    let keys = tree.nodes[node].keys
    if keys.isEmpty { return nil }
    if isEscaped {
      let name = try text(range, true)
      return keys.first { name.utf8.elementsEqual(tree.names[tree.keys[$0].name]) }.map { tree.keys[$0].node }
    }
    guard let name = UnsafeRawPointer(bytes.baseAddress), let names = UnsafeRawPointer(tree.names.baseAddress) else {
      return nil
    }
    for place in keys {
      let key = tree.keys[place]
      guard key.name.count == range.count else { continue }
      if memcmp(names + key.name.lowerBound, name + range.lowerBound, range.count) == 0 { return key.node }
    }
    return nil
  }

  private mutating func array(at node: Int?, depth: Int) throws(JSONError) {
    position += 1
    var index = 0
    skipWhitespace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
      position += 1
      return
    }
    while true {
      let child = node.flatMap { node in
        tree.nodes[node].elements.first { tree.elements[$0].index == index }.map { tree.elements[$0].node }
      }
      try value(at: child, depth: depth + 1)
      index += 1
      skipWhitespace()
      guard position < bytes.count else { throw error("unexpected end of the text") }
      if bytes[position] == UInt8(ascii: ",") {
        position += 1
        continue
      }
      guard bytes[position] == UInt8(ascii: "]") else { throw error("expected ',' or ']'") }
      position += 1
      return
    }
  }

  /// Passes one string, checked; the range is what stands between the quotes.
  private mutating func string() throws(JSONError) -> (Range<Int>, isEscaped: Bool) {
    position += 1
    let start = position
    var isEscaped = false
    var isASCII = true
    while position < bytes.count {
      skipPlain()
      guard position < bytes.count else { break }
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let range = start..<position
        if isEscaped || !isASCII { _ = try text(range, isEscaped) }
        position += 1
        return (range, isEscaped)
      }
      guard byte >= 0x20 else { throw error("control character in a string") }
      if byte >= 0x80 { isASCII = false }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        position += 1
      }
      position += 1
    }
    throw error("string without an end")
  }

  /// Goes on to the next quote, backslash, control character or byte beyond ASCII, eight bytes at a time, or to the last
  /// bytes, which are fewer.
  private mutating func skipPlain() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let base = UnsafeRawPointer(bytes.baseAddress)
    while position + 8 <= bytes.count, let base {
      let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quotes = word ^ ones &* UInt64(UInt8(ascii: "\""))
      let slashes = word ^ ones &* UInt64(UInt8(ascii: "\\"))
      // A byte below 0x20 borrows its highest bit in the first, one that is zero in the others.
      let special = ((word &- ones &* 0x20) | (quotes &- ones) | (slashes &- ones) | word) & highs
      guard special == 0 else {
        position += special.trailingZeroBitCount / 8
        return
      }
      position += 8
    }
  }

  private func text(_ range: Range<Int>, _ isEscaped: Bool) throws(JSONError) -> String {
    if isEscaped {
      do throws(JSONError) {
        return try JSONValue(parsing: Array(bytes[range.lowerBound - 1...range.upperBound])).string ?? ""
      } catch {
        throw JSONError(message: error.message, offset: error.offset + range.lowerBound - 1)
      }
    }
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw JSONError(message: "invalid UTF-8 in a string", offset: range.lowerBound)
    }
    return text
  }
}
