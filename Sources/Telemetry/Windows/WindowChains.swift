/// Windows beyond a series' newest two: a chain for each slot, the oldest first.
struct WindowChains: ~Copyable {
  private var heads = SlotTable<Int32>(initial: -1)
  private var tails = SlotTable<Int32>(initial: -1)
  private var windows = SlotTable(initial: WindowCell())
  /// The next newer window of the same slot, or -1; by place.
  private var nexts = SlotTable<Int32>(initial: -1)
  private var free: [Int32] = []

  mutating func grow(to count: Int) {
    heads.grow(to: count)
    tails.grow(to: count)
  }

  /// The window at a place; void once another one is made. A pointer and no subscript: over a mutating access through a
  /// borrowed struct that is not copyable, Swift 6.3.1 breaks down under the thread sanitizer.
  func window(at place: Int32) -> UnsafeMutablePointer<WindowCell> { windows.cells + Int(place) }

  /// Mostly no slot has any, which is known without a look at its head, far away in memory.
  private var isEmpty: Bool { free.count == windows.count }

  func oldest(of slot: Int) -> Int32? { isEmpty ? nil : Self.place(heads.cells[slot]) }
  func newest(of slot: Int) -> Int32? { Self.place(tails.cells[slot]) }
  func next(after place: Int32) -> Int32? { Self.place(nexts.cells[Int(place)]) }

  private static func place(_ raw: Int32) -> Int32? { raw < 0 ? nil : raw }

  /// The slot's window that starts at `start`.
  func window(of slot: Int, start: Int64) -> Int32? {
    var place = heads.cells[slot]
    while place >= 0, windows.cells[Int(place)].start < start { place = nexts.cells[Int(place)] }
    return place >= 0 && windows.cells[Int(place)].start == start ? place : nil
  }

  /// Puts a window in behind all that do not start later.
  mutating func insert(_ cell: WindowCell, of slot: Int) -> Int32 {
    let new: Int32
    if let reused = free.popLast() {
      new = reused
    } else {
      new = Int32(windows.count)
      windows.grow(to: windows.count + 1)
      nexts.grow(to: windows.count)
    }
    windows.cells[Int(new)] = cell
    var previous = tails.cells[slot]
    if previous >= 0, windows.cells[Int(previous)].start > cell.start {
      previous = -1
      var place = heads.cells[slot]
      while place >= 0, windows.cells[Int(place)].start <= cell.start {
        previous = place
        place = nexts.cells[Int(place)]
      }
    }
    let next = previous < 0 ? heads.cells[slot] : nexts.cells[Int(previous)]
    nexts.cells[Int(new)] = next
    if previous < 0 { heads.cells[slot] = new } else { nexts.cells[Int(previous)] = new }
    if next < 0 { tails.cells[slot] = new }
    return new
  }

  mutating func removeOldest(of slot: Int) { if let head = oldest(of: slot) { remove(head, of: slot) } }

  mutating func remove(_ place: Int32, of slot: Int) {
    let next = nexts.cells[Int(place)]
    var previous: Int32 = -1
    if heads.cells[slot] == place {
      heads.cells[slot] = next
    } else {
      previous = heads.cells[slot]
      while nexts.cells[Int(previous)] != place { previous = nexts.cells[Int(previous)] }
      nexts.cells[Int(previous)] = next
    }
    if next < 0 { tails.cells[slot] = previous }
    free.append(place)
  }

  /// All windows of the slot, oldest first.
  func all(of slot: Int) -> [Int32] {
    var places: [Int32] = []
    var place = heads.cells[slot]
    while place >= 0 {
      places.append(place)
      place = nexts.cells[Int(place)]
    }
    return places
  }
}
