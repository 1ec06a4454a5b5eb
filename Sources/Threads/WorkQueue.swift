internal import Glibc

/// A bounded queue that one thread of its own empties: where blocking calls run off the cooperative pool.
///
/// `@unchecked Sendable`: `items`, `head` and `isClosed` are touched only with `mutex` held.
public final class WorkQueue<Item: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Waiting from `head` on.
  private var items: [Item?] = []
  private var head = 0
  private var isClosed = false
  public let limit: Int

  /// - Parameter limit: how many items may wait.
  public init(limit: Int) {
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

  public enum Taken: Sendable { case queued, full, closed }

  public func push(_ item: Item) -> Taken {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if isClosed { return .closed }
    if items.count - head >= limit { return .full }
    items.append(item)
    pthread_cond_signal(condition)
    return .queued
  }

  /// Lets the thread finish what is queued and end.
  public func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits for an item; nil once the queue is closed and empty.
  private func pop() -> Item? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while head == items.count {
      if isClosed { return nil }
      pthread_cond_wait(condition, mutex)
    }
    let item = items[head]
    items[head] = nil
    head += 1
    if head == items.count || head >= 1_024 {
      items.removeFirst(head)
      head = 0
    }
    return item
  }

  /// Starts the thread; `body` handles one item after the other with the state that `makeState` made on that thread.
  /// `stackBytes` is address space: only what is touched becomes memory.
  public func start<State: ~Copyable>(
    stackBytes: Int = 256 * 1_024, _ makeState: @escaping @Sendable () -> State,
    body: @escaping @Sendable (inout State, Item) -> Void
  ) {
    let work = Work { [self] in
      var state = makeState()
      while let item = pop() { body(&state, item) }
    }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let result = pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(work).toOpaque())
    precondition(result == 0, "no thread can be made: \(String(cString: strerror(result)))")
    pthread_attr_destroy(&attributes)
  }
}

private final class Work: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
