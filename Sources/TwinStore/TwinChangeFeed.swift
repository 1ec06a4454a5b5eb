public import DeviceKit
internal import Synchronization

/// The devices whose twins changed since the reader last asked, each once: at most as many entries as there are twins,
/// however slow the reader is. Ends its registration when it is let go.
public final class TwinChangeFeed: Sendable {
  private let pending = Mutex<[DeviceKey: TwinChange]>([:])
  private let wakeup = Wakeup()

  init() {}

  func add(_ device: DeviceKey, _ change: TwinChange) {
    let isFirst = pending.withLock { pending in
      let isFirst = pending.isEmpty
      pending[device, default: []].formUnion(change)
      return isFirst
    }
    if isFirst { wakeup.signal() }
  }

  /// What has changed since the last call; empty if nothing has.
  public func take() -> [DeviceKey: TwinChange] {
    pending.withLock { pending in
      defer { pending = [:] }
      return pending
    }
  }

  /// Waits until there is something to take, the task is cancelled or `limit` has passed. One reader at a time.
  public func wait(atMost limit: Duration) async {
    guard pending.withLock({ $0.isEmpty }) else { return }
    await wakeup.wait(atMost: limit)
  }

  /// Waits until something has changed and takes it. Nil: the task was cancelled, or `limit` passed. One reader at a
  /// time.
  public func next(atMost limit: Duration? = nil) async -> [DeviceKey: TwinChange]? {
    while !Task.isCancelled {
      let changes = take()
      if !changes.isEmpty { return changes }
      if let limit {
        await wakeup.wait(atMost: limit)
        let changes = take()
        return changes.isEmpty ? nil : changes
      }
      await wakeup.wait()
    }
    return nil
  }
}
