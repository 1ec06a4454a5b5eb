internal import Synchronization

/// A set of things that changed, handed over whole to one waiting reader: bounded by the number of distinct things,
/// however often each of them changes.
public final class CoalescingSignal<Element: Hashable & Sendable>: Sendable {
  private let pending = Mutex<Set<Element>>([])
  private let wakeUps: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation

  public init() {
    (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  public func insert(_ element: Element) {
    let isFirst = pending.withLock { $0.insert(element).inserted }
    if isFirst { wake.yield() }
  }

  /// Calls `body` with everything that changed since the last call, as soon as there is something; returns when the
  /// task is cancelled or ``finish()`` was called. One reader only.
  public func drain(_ body: (Set<Element>) async -> Void) async {
    for await _ in wakeUps {
      let elements = pending.withLock { pending in
        defer { pending = [] }
        return pending
      }
      if !elements.isEmpty { await body(elements) }
    }
  }

  public func finish() { wake.finish() }
}
