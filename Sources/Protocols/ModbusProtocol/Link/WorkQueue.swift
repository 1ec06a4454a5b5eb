import Glibc

/// A bounded queue that one thread of its own empties: where blocking calls run off the cooperative pool.
///
/// Unchecked: `items` and `isClosed` are touched only with `mutex` held.
final class WorkQueue<Item: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var items: [Item] = []
  private var isClosed = false
  let limit: Int

  init(limit: Int) {
    self.limit = limit
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  enum Taken { case queued, full, closed }

  func push(_ item: Item) -> Taken {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if isClosed { return .closed }
    if items.count >= limit { return .full }
    items.append(item)
    pthread_cond_signal(condition)
    return .queued
  }

  /// Lets the thread finish what is queued and end.
  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits for an item; nil once the queue is closed and empty.
  private func pop() -> Item? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while items.isEmpty {
      if isClosed { return nil }
      pthread_cond_wait(condition, mutex)
    }
    return items.removeFirst()
  }

  /// Starts the thread; `body` handles one item after the other with the state that `makeState` made on that thread.
  func start<State: ~Copyable>(
    _ makeState: @escaping @Sendable () -> State, body: @escaping @Sendable (inout State, Item) -> Void
  ) {
    let work = Work { [self] in
      var state = makeState()
      while let item = pop() { body(&state, item) }
    }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 256 * 1024)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let result = pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(work).toOpaque())
    precondition(result == 0, "no thread for a serial line: \(String(cString: strerror(result)))")
    pthread_attr_destroy(&attributes)
  }
}

private final class Work: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
