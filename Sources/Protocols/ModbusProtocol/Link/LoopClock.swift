package import NIOCore

/// An event loop as a place where tasks run and wait: what one link's poll does then costs no change of threads.
///
/// Unchecked: the loop and the executor are immutable, and NIO's event loops may be used from any thread.
package final class LoopClock: TaskExecutor, @unchecked Sendable {
  package let loop: any EventLoop

  package init(_ loop: any EventLoop) { self.loop = loop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  /// Nanoseconds of the loop's monotonic clock.
  package var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

  /// Returns at `deadline`, or when the task is cancelled. Called on the loop.
  package func sleep(until deadline: Int64) async {
    let alarm = Alarm()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        loop.assertInEventLoop()
        alarm.continuation = continuation
        alarm.timer = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(max(0, deadline)))) { alarm.ring() }
      }
    } onCancel: {
      loop.execute { alarm.ring() }
    }
  }

  /// Unchecked: touched on the loop alone.
  private final class Alarm: @unchecked Sendable {
    var continuation: UnsafeContinuation<Void, Never>?
    var timer: Scheduled<Void>?

    func ring() {
      timer?.cancel()
      timer = nil
      continuation?.resume()
      continuation = nil
    }
  }
}
