/// A dictionary of bounded size: of its entries those go that were longest not set.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private var entries: [Key: (value: Value, turn: UInt64)] = [:]
  private var turn: UInt64 = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { entries.count }

  subscript(key: Key) -> Value? {
    get { entries[key]?.value }
    set {
      guard let newValue else {
        entries[key] = nil
        return
      }
      turn += 1
      entries[key] = (newValue, turn)
      guard entries.count > capacity else { return }
      // An eighth at a time, so that the order is looked for rarely.
      let oldest = entries.sorted { $0.value.turn < $1.value.turn }.prefix(capacity / 8 + 1)
      for (key, _) in oldest { entries[key] = nil }
    }
  }
}
