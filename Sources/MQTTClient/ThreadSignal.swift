internal import Glibc

/// Lets a thread of ours sleep until a task has finished, and says how.
///
/// `@unchecked Sendable`: the semaphore is made before it is shared and destroyed with the last reference; POSIX
/// semaphores may be posted and awaited from any thread, and what was written before the post is seen after the wait.
final class ThreadSignal: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>
  private var result = true

  init() {
    semaphore = .allocate(capacity: 1)
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Once.
  func signal(_ result: Bool = true) {
    self.result = result
    sem_post(semaphore)
  }

  @discardableResult
  func wait() -> Bool {
    while sem_wait(semaphore) != 0 {}
    return result
  }
}

/// A pipe whose reading end becomes readable when another thread wants the poll loop's attention.
final class WakeDescriptor: Sendable {
  let descriptor: Int32
  private let writing: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    let code = pipe(&ends)
    precondition(code == 0, "the system refuses another pipe")
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (descriptor, writing) = (ends[0], ends[1])
  }

  deinit {
    close(descriptor)
    close(writing)
  }

  /// A full pipe is fine: the loop wakes anyway.
  func wake() {
    var one: UInt8 = 1
    _ = write(writing, &one, 1)
  }

  func drain() {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
      while read(descriptor, buffer.baseAddress, 256) == 256 {}
    }
  }
}
