/// Windows older than their series' newest one that lateness still keeps open: a chain per slot, oldest first.
struct PendingWindows {
  struct Window: BitwiseCopyable {
    var cell = WindowCell()
    var edge = EdgeCell()
    /// The next newer window of the slot, or -1.
    var next: Int32 = -1
  }

  private let heads = SlotTable<Int32>(initial: -1)
  private let windows = SlotTable(initial: Window())
  private var free: [Int32] = []

  subscript(place: Int32) -> Window {
    get { windows[Int(place)] }
    nonmutating _modify { yield &windows.cells[Int(place)] }
  }

  func grow(to count: Int) { heads.grow(to: count) }

  func oldest(of slot: Int) -> Int32? {
    let head = heads[slot]
    return head < 0 ? nil : head
  }

  /// The slot's window that starts at `start`; a new one (of count 0) where there is none.
  mutating func window(of slot: Int, start: Int64) -> Int32 {
    var previous: Int32 = -1
    var place = heads[slot]
    while place >= 0, windows[Int(place)].cell.start < start {
      previous = place
      place = windows[Int(place)].next
    }
    if place >= 0, windows[Int(place)].cell.start == start { return place }
    let new: Int32
    if let reused = free.popLast() {
      new = reused
    } else {
      new = Int32(windows.count)
      windows.grow(to: windows.count + 1)
    }
    windows[Int(new)] = Window(next: place)
    windows[Int(new)].cell.start = start
    if previous < 0 { heads[slot] = new } else { windows[Int(previous)].next = new }
    return new
  }

  mutating func removeOldest(of slot: Int) {
    let head = heads[slot]
    guard head >= 0 else { return }
    heads[slot] = windows[Int(head)].next
    free.append(head)
  }

  /// All windows of the slot, oldest first.
  func all(of slot: Int) -> [Int32] {
    var places: [Int32] = []
    var place = heads[slot]
    while place >= 0 {
      places.append(place)
      place = windows[Int(place)].next
    }
    return places
  }
}
