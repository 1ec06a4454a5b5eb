/// The rows of a batch that are still in the race, each with its series slot; stages narrow it in place and copy no
/// data.
package final class Selection {
  package private(set) var rows: UnsafeMutablePointer<Int32>
  package private(set) var slots: UnsafeMutablePointer<Int32>
  package private(set) var capacity: Int
  package var count = 0

  package init(capacity: Int = 1_024) {
    self.capacity = capacity
    rows = .allocate(capacity: capacity)
    slots = .allocate(capacity: capacity)
    rows.initialize(repeating: 0, count: capacity)
    slots.initialize(repeating: 0, count: capacity)
  }

  deinit {
    rows.deallocate()
    slots.deallocate()
  }

  /// Empties it and makes room for `capacity` rows.
  package func reset(capacity: Int) {
    count = 0
    guard capacity > self.capacity else { return }
    rows.deallocate()
    slots.deallocate()
    self.capacity = capacity
    rows = .allocate(capacity: capacity)
    slots = .allocate(capacity: capacity)
    rows.initialize(repeating: 0, count: capacity)
    slots.initialize(repeating: 0, count: capacity)
  }

  /// Selects the first `count` rows of columns whose rows have these slots.
  package func selectAll(_ count: Int, slots: UnsafePointer<Int32>) {
    reset(capacity: count)
    for row in 0..<count { rows[row] = Int32(truncatingIfNeeded: row) }
    self.slots.update(from: slots, count: count)
    self.count = count
  }
}
