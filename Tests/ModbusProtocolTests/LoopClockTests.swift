import ModbusProtocol
import NIOPosix
import Synchronization
import TestSupport
import Testing

@Suite struct LoopClockTests {
  private static let hour: Int64 = 3_600_000_000_000
  private let clock = LoopClock(TestLoops.next())

  /// Waits on the loop, and tells that the wait is over.
  private func wait(until deadline: Int64, _ ended: Ended) -> Task<Void, Never> {
    Task(executorPreference: clock) { [clock] in
      await clock.withAlarm { await $0.sleep(until: deadline) }
      ended.count.wrappingAdd(1, ordering: .relaxed)
    }
  }

  @Test func nobodyIsWokenBeforeTheTime() async {
    let clock = clock
    let begin = clock.now
    let deadlines = [begin - 1, begin, begin + 1, begin + LoopClock.tick, begin + 7 * LoopClock.tick / 2]
    await withTaskGroup { group in
      for deadline in deadlines {
        group.addTask(executorPreference: clock) {
          await clock.withAlarm { await $0.sleep(until: deadline) }
          #expect(clock.now >= deadline)
        }
      }
    }
  }

  @Test func whoGivesUpIsWokenAloneAmongThoseWhoWaitForTheSameTime() async throws {
    let ended = Ended()
    let end = clock.now + Self.hour
    let tasks = (0..<3).map { _ in wait(until: end, ended) }
    tasks[1].cancel()
    await tasks[1].value
    #expect(ended.count.load(ordering: .relaxed) == 1)
    // One that comes later waits with them, and one that was cancelled before it began does not wait.
    let late = wait(until: end, ended)
    let stillborn = wait(until: end, ended)
    stillborn.cancel()
    await stillborn.value
    #expect(ended.count.load(ordering: .relaxed) == 2)
    for task in [tasks[0], tasks[2], late] {
      task.cancel()
      await task.value
    }
    #expect(ended.count.load(ordering: .relaxed) == 5)
    // Their tick is forgotten, and another of the same time is a new one.
    let last = wait(until: end, ended)
    last.cancel()
    await last.value
    #expect(ended.count.load(ordering: .relaxed) == 6)
  }

  private final class Ended: Sendable {
    let count = Atomic(0)
  }
}
