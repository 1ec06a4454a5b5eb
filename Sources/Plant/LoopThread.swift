internal import Documents
internal import Glibc
internal import Synchronization

/// A thread of its own for one blocking loop, which must end by itself once told to.
final class LoopThread: Sendable {
  private struct State {
    var body: (@Sendable () -> Void)?
    var ended = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(_ body: @escaping @Sendable () -> Void) { state = Mutex(State(body: body)) }

  /// Starts the thread. It blocks SIGPIPE, INT and TERM, so that the process handles signals where it wants to.
  func start() {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        var blocked = sigset_t()
        sigemptyset(&blocked)
        for signal in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&blocked, signal) }
        pthread_sigmask(SIG_BLOCK, &blocked, nil)
        let owner = Unmanaged<LoopThread>.fromOpaque(argument).takeRetainedValue()
        owner.run()
        return nil
      }, box.toOpaque())
    precondition(code == 0, "pthread_create: \(code)")
    pthread_detach(thread)
  }

  private func run() {
    // Taken out, so that what the loop owns is released with its end.
    let body = state.withLock { state in
      defer { state.body = nil }
      return state.body
    }
    body?()
    let waiters = state.withLock { state in
      state.ended = true
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  var hasEnded: Bool { state.withLock { $0.ended } }

  /// Returns when the loop has ended.
  func ended() async {
    await withCheckedContinuation { continuation in
      let already = state.withLock { state in
        if !state.ended { state.waiters.append(continuation) }
        return state.ended
      }
      if already { continuation.resume() }
    }
  }
}

/// Wakes a loop that waits in poll, from any thread, through a pipe.
final class LoopWaker: Sendable {
  /// Readable while a wake has not been taken back.
  let descriptor: Int32
  private let input: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "pipe: \(errno)")
    descriptor = ends[0]
    input = ends[1]
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
  }

  deinit {
    close(descriptor)
    close(input)
  }

  /// A full pipe holds wakes enough.
  func wake() {
    var one: UInt8 = 1
    _ = write(input, &one, 1)
  }

  /// Takes back all wakes so far.
  func drain() {
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(descriptor, &bytes, bytes.count) == bytes.count {}
  }
}

private let clockStart = ContinuousClock.now

/// Nanoseconds since the first call, from a clock that nobody sets.
func monotonicNanoseconds() -> Int64 { (ContinuousClock.now - clockStart).nanoseconds }
