import Controllers
import DeviceKit
import Documents
import Resources
import Testing

@Suite struct ProgressBoardTests {
  private let key = ObjectKey(namespace: "default", name: "plc-net")

  private func progress(_ done: Int) -> DiscoveryProgress {
    DiscoveryProgress(done: done, total: 254, found: done / 50)
  }

  @Test func whatIsShownChangesEveryTenSecondsAndAtBothEnds() {
    let board = ProgressBoard()
    #expect(board.shown(of: key, at: Timestamp(seconds: 100)) == nil)
    board.set(key, progress(0), at: Timestamp(seconds: 100))
    var shown: [Int] = []
    for second in 1...25 {
      board.set(key, progress(second * 10), at: Timestamp(seconds: 100 + Int64(second)))
      shown.append(board.shown(of: key, at: Timestamp(seconds: 100 + Int64(second)))?.done ?? -1)
    }
    #expect(Set(shown) == [0, 100, 200], "three values in 25 s")
    board.set(key, progress(254), at: Timestamp(seconds: 126))
    #expect(board.shown(of: key, at: Timestamp(seconds: 126))?.done == 254)
    board.set(key, progress(0), at: Timestamp(seconds: 1_000))
    #expect(board.shown(of: key, at: Timestamp(seconds: 1_000))?.done == 0)
    board.remove(key)
    #expect(board.shown(of: key, at: Timestamp(seconds: 1_000)) == nil)
  }

  @Test func aClockThatIsSetBackShowsAtOnce() {
    let board = ProgressBoard()
    board.set(key, progress(0), at: Timestamp(seconds: 1_000))
    board.set(key, progress(7), at: Timestamp(seconds: 10))
    #expect(board.shown(of: key, at: Timestamp(seconds: 10))?.done == 7)
  }
}
