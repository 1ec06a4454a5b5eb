internal import Documents
internal import Resources

/// Decoded objects, so that repeated reads parse nothing. Bounded by the size of their encoded bodies.
struct ObjectCache {
  struct Place: Hashable {
    var resource: ResourceName
    var key: ObjectKey
  }
  private struct Entry {
    var version: UInt64
    var object: JSONValue
    var size: Int
  }
  private let capacity: Int
  private var entries: [Place: Entry] = [:]
  private var size = 0

  init(capacity: Int) { self.capacity = capacity }

  func object(at place: Place, version: UInt64) -> JSONValue? {
    guard let entry = entries[place], entry.version == version else { return nil }
    return entry.object
  }

  mutating func keep(_ object: JSONValue, at place: Place, version: UInt64, size bodySize: Int) {
    guard bodySize <= capacity / 4 else { return remove(place) }
    remove(place)
    // Half goes at once: the order of use is not worth keeping for what a parse costs.
    if size + bodySize > capacity {
      for victim in Array(entries.keys.prefix(entries.count / 2 + 1)) { remove(victim) }
    }
    entries[place] = Entry(version: version, object: object, size: bodySize)
    size += bodySize
  }

  mutating func remove(_ place: Place) {
    if let old = entries.removeValue(forKey: place) { size -= old.size }
  }

  mutating func removeAll() {
    entries = [:]
    size = 0
  }
}
