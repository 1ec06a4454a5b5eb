internal import Glibc
internal import Synchronization

/// Watches the kernel's devices on a thread of its own: one for a plugin, shared by its discoverers and sessions.
///
/// It listens before it looks, so that nothing falls between; what changes within 300 ms is looked at once; and it
/// looks every 60 s in any case, since a container may hear no message at all.
final class UdevWatcher: Sendable {
  typealias Look = @Sendable (LibUdev) -> Void

  private struct State {
    var looks: [Int: Look] = [:]
    /// Those that have not had their first look.
    var fresh: [Int] = []
    var nextID = 0
    var isRunning = false
  }

  private let state = Mutex(State())
  private let reading: Int32
  private let writing: Int32

  private static let coalescing: Int32 = 300
  private static let interval = Duration.seconds(60)

  init() {
    var ends: [Int32] = [-1, -1]
    let code = pipe(&ends)
    precondition(code == 0, "the system refuses another pipe")
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    close(reading)
    close(writing)
  }

  /// Calls `look` on the watcher's thread, soon and after every change, until it is ended. `look` must not block.
  func start(_ look: @escaping Look) -> Int {
    let (id, mustStart) = state.withLock { state in
      state.nextID += 1
      state.looks[state.nextID] = look
      state.fresh.append(state.nextID)
      defer { state.isRunning = true }
      return (state.nextID, !state.isRunning)
    }
    if mustStart { startThread() }
    wake()
    return id
  }

  /// Ends a look; the thread ends with the last.
  func end(_ id: Int) {
    state.withLock { _ = $0.looks.removeValue(forKey: id) }
    wake()
  }

  private func wake() {
    var one: UInt8 = 1
    _ = write(writing, &one, 1)
  }

  private func startThread() {
    var thread = pthread_t()
    let watcher = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { pointer in
        Unmanaged<UdevWatcher>.fromOpaque(pointer!).takeRetainedValue().run()
        return nil
      }, watcher.toOpaque())
    precondition(code == 0, "the system refuses another thread")
    pthread_detach(thread)
  }

  private func run() {
    guard let udev = LibUdev() else { return }
    udev.startMonitoring()
    var lastLook = ContinuousClock.now
    while true {
      let rest = UdevWatcher.interval - (ContinuousClock.now - lastLook)
      let milliseconds = max(0, Int32(rest.components.seconds) * 1_000 + 1)
      let hasEvents = wait(udev, milliseconds)
      if hasEvents {
        // More of the same plug usually follows.
        let end = ContinuousClock.now + .milliseconds(Int(UdevWatcher.coalescing))
        while ContinuousClock.now < end { _ = wait(udev, UdevWatcher.coalescing / 6) }
      }
      let isDue = hasEvents || ContinuousClock.now - lastLook >= UdevWatcher.interval
      if isDue { lastLook = .now }
      let (looks, isOver) = state.withLock { state -> ([Look], Bool) in
        let ids = isDue ? state.looks.keys.sorted() : state.fresh
        state.fresh = []
        if state.looks.isEmpty { state.isRunning = false }
        return (ids.compactMap { state.looks[$0] }, state.looks.isEmpty)
      }
      if isOver { return }
      for look in looks { look(udev) }
    }
  }

  /// Waits for a message or a call; true: the devices have changed.
  private func wait(_ udev: LibUdev, _ milliseconds: Int32) -> Bool {
    var descriptors = ([reading] + udev.descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      while read(reading, buffer.baseAddress, 64) == 64 {}
    }
    return udev.drain()
  }
}
