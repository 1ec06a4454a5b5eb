internal import Glibc

/// A serial executor on a thread of its own, for actors whose work blocks in system calls: files, fsync, C libraries.
/// Jobs run in the order in which they were handed over. The thread ends, after the jobs it has, when the executor
/// goes.
///
/// `stackBytes` is address space: only what a job touches becomes memory.
public final class BlockingThread: SerialExecutor {
  private let queue = JobQueue()

  public init(stackBytes: Int = 512 * 1_024) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        Unmanaged<JobQueue>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(queue).toOpaque())
    pthread_attr_destroy(&attributes)
    precondition(code == 0, "no thread can be made: error \(code)")
  }

  deinit { queue.close() }

  public func enqueue(_ job: consuming ExecutorJob) {
    queue.append(UnownedJob(job), for: asUnownedSerialExecutor())
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// Jobs for one thread. `@unchecked Sendable`: `jobs`, `executor` and `isClosed` are touched only with the mutex held.
private final class JobQueue: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var jobs: [(UnownedJob, UnownedSerialExecutor)] = []
  private var isClosed = false

  init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func append(_ job: UnownedJob, for executor: UnownedSerialExecutor) {
    pthread_mutex_lock(mutex)
    jobs.append((job, executor))
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func run() {
    var taken: [(UnownedJob, UnownedSerialExecutor)] = []
    while true {
      pthread_mutex_lock(mutex)
      while jobs.isEmpty, !isClosed { pthread_cond_wait(condition, mutex) }
      swap(&taken, &jobs)
      pthread_mutex_unlock(mutex)
      guard !taken.isEmpty else { return }
      for (job, executor) in taken { job.runSynchronously(on: executor) }
      taken.removeAll(keepingCapacity: true)
    }
  }
}
