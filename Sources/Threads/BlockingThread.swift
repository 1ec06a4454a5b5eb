/// A serial executor on a thread of its own, for actors whose work blocks in system calls: files, fsync, C libraries.
/// Jobs run in the order in which they were handed over. The thread ends, after the jobs it has, when the executor
/// goes.
///
/// `stackBytes` is address space: only what a job touches becomes memory.
public final class BlockingThread: SerialExecutor {
  private struct Job: Sendable {
    let job: UnownedJob
    let executor: UnownedSerialExecutor
  }
  /// Not bounded: the runtime's jobs can be neither refused nor kept waiting.
  private let queue = WorkQueue<Job>(limit: .max)

  public init(stackBytes: Int = 512 * 1_024) {
    queue.start(stackBytes: stackBytes) {
    } body: { _, entry in
      entry.job.runSynchronously(on: entry.executor)
    }
  }

  deinit { queue.close() }

  public func enqueue(_ job: consuming ExecutorJob) {
    _ = queue.push(Job(job: UnownedJob(job), executor: asUnownedSerialExecutor()))
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
