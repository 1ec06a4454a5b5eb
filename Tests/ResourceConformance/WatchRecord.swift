import Documents
import Resources
import Synchronization

/// The events of one watch as they come.
final class WatchRecord: Sendable {
  private final class Log: Sendable {
    struct State {
      var events: [WatchEvent] = []
      var isOver = false
    }
    let state = Mutex(State())
  }
  private let log = Log()
  private let reader: Task<Void, Never>

  init(_ stream: AsyncStream<WatchEvent>) {
    reader = Task { [log] in
      for await event in stream { log.state.withLock { $0.events.append(event) } }
      log.state.withLock { $0.isOver = true }
    }
  }

  deinit { reader.cancel() }

  var all: [WatchEvent] { log.state.withLock { $0.events } }
  /// All but the bookmarks.
  var changes: [WatchEvent] { all.filter { $0.change != .bookmark } }
  var isOver: Bool { log.state.withLock { $0.isOver } }

  /// The changes once there are `count` of them; those that there are when the deadline passes.
  func changes(_ count: Int) async -> [WatchEvent] {
    await wait { self.changes.count >= count || self.isOver }
    return changes
  }

  /// Waits until `condition` holds or a generous deadline passes.
  func wait(until condition: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition(), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
  }
}
