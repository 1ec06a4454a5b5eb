/// Windows older than their series' newest one that lateness still keeps open: a chain per slot, oldest first.
struct PendingWindows: ~Copyable {
  /// Whether windows have a place in ``edges``; set before the first window.
  var keepsEdges = false
  private var heads = SlotTable<Int32>(initial: -1)
  private var windows = SlotTable(initial: WindowCell())
  /// The next newer window of the same slot, or -1; by place.
  private var next = SlotTable<Int32>(initial: -1)
  /// First and last of each window, by place, where they are kept.
  var edges = SlotTable(initial: EdgeCell())
  private var free: [Int32] = []

  /// The window at a place; void once another one is made. A pointer and no subscript: over a mutating access through a
  /// borrowed struct that is not copyable, Swift 6.3.1 breaks down under the thread sanitizer.
  func window(at place: Int32) -> UnsafeMutablePointer<WindowCell> { windows.cells + Int(place) }

  mutating func grow(to count: Int) { heads.grow(to: count) }

  func oldest(of slot: Int) -> Int32? {
    let head = heads[slot]
    return head < 0 ? nil : head
  }

  /// The slot's window that starts at `start`; a new one (of count 0) where there is none.
  mutating func window(of slot: Int, start: Int64) -> Int32 {
    var previous: Int32 = -1
    var place = heads[slot]
    while place >= 0, windows.cells[Int(place)].start < start {
      previous = place
      place = next[Int(place)]
    }
    if place >= 0, windows.cells[Int(place)].start == start { return place }
    let new: Int32
    if let reused = free.popLast() {
      new = reused
    } else {
      new = Int32(windows.count)
      windows.grow(to: windows.count + 1)
      next.grow(to: windows.count)
      if keepsEdges { edges.grow(to: windows.count) }
    }
    windows[Int(new)] = WindowCell(start: start)
    next[Int(new)] = place
    if previous < 0 { heads[slot] = new } else { next[Int(previous)] = new }
    return new
  }

  mutating func removeOldest(of slot: Int) {
    let head = heads[slot]
    guard head >= 0 else { return }
    heads[slot] = next[Int(head)]
    free.append(head)
  }

  /// All windows of the slot, oldest first.
  func all(of slot: Int) -> [Int32] {
    var places: [Int32] = []
    var place = heads[slot]
    while place >= 0 {
      places.append(place)
      place = next[Int(place)]
    }
    return places
  }
}
