package import Documents
package import Resources

/// Reads a list (meta/v1 List) piece by piece: each item is handed out once it is whole, so that one item and what
/// surrounds the items are all that is ever held. Pure.
package struct ListDecoder: Sendable {
  private let limit: Int
  /// All but the items.
  private var envelope: [UInt8] = []
  private var item: [UInt8] = []
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  /// The string that was read last at the top level: a key where a colon follows.
  private var key: [UInt8] = []
  private var isInItems = false

  private static let itemsKey = Array("items".utf8)

  /// - Parameter limit: the most that one item, or all that is no item, may take.
  package init(limit: Int) { self.limit = limit }

  /// The items that end with these bytes.
  package mutating func consume(_ bytes: [UInt8]) throws(APIStatus) -> [JSONValue] {
    var items: [JSONValue] = []
    for byte in bytes {
      if isInItems, depth > 2 || depth == 2 && byte == UInt8(ascii: "{") {
        item.append(byte)
        guard item.count <= limit else { throw .unreadable("an item of more than \(limit) bytes") }
        step(byte)
        if depth == 2 {
          do {
            items.append(try JSONValue(parsing: item))
          } catch {
            throw .unreadable("an item of a list: \(error)")
          }
          item.removeAll(keepingCapacity: item.count < 65_536)
        }
        continue
      }
      if isInItems, byte != UInt8(ascii: "]") {
        guard byte == UInt8(ascii: ",") || byte <= 0x20 else { throw .unreadable("an item that is no object") }
        continue
      }
      envelope.append(byte)
      guard envelope.count <= limit else { throw .unreadable("a list's metadata of more than \(limit) bytes") }
      if isInItems { isInItems = false }
      let opensItems = !isInString && byte == UInt8(ascii: "[") && depth == 1 && key == Self.itemsKey
      step(byte)
      if opensItems { isInItems = true }
    }
    return items
  }

  /// What surrounded the items, once the list is over.
  package func finish() throws(APIStatus) -> JSONValue {
    do {
      return try JSONValue(parsing: envelope)
    } catch {
      throw .unreadable("a list that breaks off: \(error)")
    }
  }

  private mutating func step(_ byte: UInt8) {
    if isInString {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInString = false
        return
      }
      if depth == 1, key.count < 64 { key.append(byte) }
      return
    }
    switch byte {
    case UInt8(ascii: "\""):
      isInString = true
      if depth == 1 { key.removeAll(keepingCapacity: true) }
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
    default: break
    }
  }
}
