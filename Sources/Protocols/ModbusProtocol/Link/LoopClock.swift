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

  /// Returns at `deadline` or up to ``tick`` later, or when the task is cancelled. Called on the loop.
  package func sleep(until deadline: Int64) async {
    let end = (max(0, deadline) + Self.tick - 1) / Self.tick * Self.tick
    let alarm = Alarm()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        loop.assertInEventLoop()
        guard !alarm.isOver else { return continuation.resume() }
        alarm.continuation = continuation
        wake(at: end).alarms.append(alarm)
      }
    } onCancel: {
      loop.execute { self.cancel(alarm, until: end) }
    }
  }

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

  private func cancel(_ alarm: Alarm, until end: Int64) {
    alarm.ring()
    guard let wake = waiting[end] else { return }
    wake.alarms.removeAll { $0 === alarm }
    guard wake.alarms.isEmpty else { return }
    wake.timer?.cancel()
    waiting[end] = nil
  }

  /// Unchecked: touched on the loop alone, as are its alarms.
  private final class Wake: @unchecked Sendable {
    var alarms: [Alarm] = []
    var timer: Scheduled<Void>?
  }

  private final class Alarm: @unchecked Sendable {
    var continuation: UnsafeContinuation<Void, Never>?
    private(set) var isOver = false

    func ring() {
      isOver = true
      continuation?.resume()
      continuation = nil
    }
  }
}
