package import NIOCore

/// An event loop as a place where tasks run and wait: what one link's poll does then costs no change of threads.
///
/// Who waits is woken in ticks of ``tick``, together with all others of that tick: with many polls a second on one loop,
/// one timer serves several, and their requests leave together.
///
/// Unchecked: the loop is immutable, NIO's event loops may be used from any thread, and what waits is touched on the loop
/// alone.
package final class LoopClock: TaskExecutor, @unchecked Sendable {
  package let loop: any EventLoop
  /// Who waits, by the end of the wait.
  private var waiting: [Int64: Wake] = [:]

  /// Nanoseconds by which a wait may last longer than asked.
  package static let tick: Int64 = 1_000_000

  package init(_ loop: any EventLoop) { self.loop = loop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  /// Nanoseconds of the loop's monotonic clock.
  package var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

  /// Runs `body` with an alarm, which the task's cancellation ends. Called on the loop.
  package func withAlarm(_ body: (LoopAlarm) async -> Void) async {
    let alarm = LoopAlarm(self)
    await withTaskCancellationHandler {
      await body(alarm)
    } onCancel: {
      loop.execute { alarm.end() }
    }
  }

  fileprivate func wait(_ alarm: LoopAlarm, until end: Int64) { wake(at: end).alarms.append(alarm) }

  private func wake(at end: Int64) -> Wake {
    if let known = waiting[end] { return known }
    let wake = Wake()
    waiting[end] = wake
    wake.timer = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(end))) { [self] in
      waiting[end] = nil
      for alarm in wake.alarms { alarm.ring() }
    }
    return wake
  }

  fileprivate func forget(_ alarm: LoopAlarm, until end: Int64) {
    guard let wake = waiting[end] else { return }
    wake.alarms.removeAll { $0 === alarm }
    guard wake.alarms.isEmpty else { return }
    wake.timer?.cancel()
    waiting[end] = nil
  }

  /// Unchecked: touched on the loop alone.
  private final class Wake: @unchecked Sendable {
    var alarms: [LoopAlarm] = []
    var timer: Scheduled<Void>?
  }
}

/// One task's waits on a ``LoopClock``, one after another.
///
/// Unchecked: its variables are touched on the loop alone.
package final class LoopAlarm: @unchecked Sendable {
  private let clock: LoopClock
  private var waiter: (continuation: UnsafeContinuation<Void, Never>, end: Int64)?
  private var isOver = false

  fileprivate init(_ clock: LoopClock) { self.clock = clock }

  package var now: Int64 { clock.now }

  /// Returns at `deadline` or up to ``LoopClock/tick`` later, or when the task is cancelled. Called on the loop.
  package func sleep(until deadline: Int64) async {
    let end = (max(0, deadline) + LoopClock.tick - 1) / LoopClock.tick * LoopClock.tick
    await withUnsafeContinuation { continuation in
      clock.loop.assertInEventLoop()
      guard !isOver else { return continuation.resume() }
      waiter = (continuation, end)
      clock.wait(self, until: end)
    }
  }

  fileprivate func ring() {
    let continuation = waiter?.continuation
    waiter = nil
    continuation?.resume()
  }

  /// Ends the present wait and all later ones.
  fileprivate func end() {
    isOver = true
    if let waiter { clock.forget(self, until: waiter.end) }
    ring()
  }
}
