internal import Glibc

/// Numbers the topics that were heard, found by their bytes as they lie in somebody else's memory: pure.
///
/// Numbers count from zero. Both the number of topics and the memory of their names are bounded.
package struct TopicIndex {
  private struct Entry {
    var hash: UInt64
    /// In ``names``.
    var start: Int
    var count: Int
  }

  private static let limit = 16_384
  private static let nameBytesLimit = 4 << 20
  private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15

  private var entries: [Entry] = []
  private var names: [UInt8] = []
  /// An entry's number and one, or 0; at most half of them are taken. As many as a power of two.
  private var places: [UInt32] = Array(repeating: 0, count: 64)
  /// Who publishes must not be able to choose topics that meet in one place.
  private let seed = UInt64.random(in: .min ... .max)

  package init() {}

  /// How many topics are known.
  package var count: Int { entries.count }

  /// The number of the topic; nil where it is not known.
  package func number(of topic: UnsafeRawBufferPointer) -> Int? {
    let hash = hash(topic)
    var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
    while places[place] != 0 {
      let number = Int(places[place]) - 1
      if entries[number].hash == hash, isName(of: number, topic) { return number }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  /// Numbers a topic that is not known with ``count``; nil where there is no room for another.
  package mutating func add(_ topic: UnsafeRawBufferPointer) -> Int? {
    guard entries.count < Self.limit, names.count + topic.count <= Self.nameBytesLimit else { return nil }
    entries.append(Entry(hash: hash(topic), start: names.count, count: topic.count))
    names.append(contentsOf: topic)
    let number = entries.count - 1
    if entries.count * 2 <= places.count {
      take(number)
    } else {
      places = Array(repeating: 0, count: places.count * 2)
      for known in entries.indices { take(known) }
    }
    return number
  }

  /// Forgets all topics.
  package mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    names.removeAll(keepingCapacity: true)
    for place in places.indices { places[place] = 0 }
  }

  private mutating func take(_ number: Int) {
    var place = Int(truncatingIfNeeded: entries[number].hash) & (places.count - 1)
    while places[place] != 0 { place = (place + 1) & (places.count - 1) }
    places[place] = UInt32(number + 1)
  }

  private func isName(of number: Int, _ topic: UnsafeRawBufferPointer) -> Bool {
    let entry = entries[number]
    guard entry.count == topic.count else { return false }
    guard let first = topic.baseAddress else { return true }
    return names.withUnsafeBytes { memcmp($0.baseAddress! + entry.start, first, entry.count) == 0 }
  }

  private func hash(_ topic: UnsafeRawBufferPointer) -> UInt64 {
    var hash = seed ^ UInt64(topic.count)
    var offset = 0
    while offset + 8 <= topic.count {
      hash = mixed(hash ^ topic.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < topic.count {
      rest = rest << 8 | UInt64(topic[offset])
      offset += 1
    }
    return mixed(hash ^ rest)
  }

  private func mixed(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: Self.factor)
    return product.high ^ product.low
  }
}
