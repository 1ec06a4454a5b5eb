internal import Glibc

/// One cell of state per series slot, dense and unchecked: every slot below ``count`` may be read and written.
package struct SlotTable<Cell: BitwiseCopyable>: ~Copyable {
  package private(set) var cells: UnsafeMutablePointer<Cell>
  package private(set) var count = 0
  private var capacity = 16
  private let initial: Cell

  package init(initial: Cell) {
    self.initial = initial
    cells = Self.allocate(16)
  }

  deinit { cells.deallocate() }

  /// On a cache line's bounds: a cell of a line's size lies in one and not across two. A table of several large pages
  /// asks the kernel for these: with one page for 512, looking up where a cell lies costs less.
  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Cell> {
    let bytes = capacity * MemoryLayout<Cell>.stride
    let isLarge = bytes >= 2 * largePage
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: isLarge ? largePage : 64)
    if isLarge { _ = madvise(memory, bytes, MADV_HUGEPAGE) }
    return memory.bindMemory(to: Cell.self, capacity: capacity)
  }

  private static var largePage: Int { 2 << 20 }

  /// Makes all slots below `count` valid; new ones hold the initial cell. Pointers taken before are void.
  package mutating func grow(to count: Int) {
    guard count > self.count else { return }
    if count > capacity {
      capacity = max(count, capacity * 2)
      let larger = Self.allocate(capacity)
      larger.initialize(from: cells, count: self.count)
      cells.deallocate()
      cells = larger
    }
    (cells + self.count).initialize(repeating: initial, count: count - self.count)
    self.count = count
  }

  package subscript(slot: Int) -> Cell {
    get {
      precondition(slot < count)
      return cells[slot]
    }
    nonmutating set {
      precondition(slot < count)
      cells[slot] = newValue
    }
  }
}
