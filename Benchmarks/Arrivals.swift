import Synchronization

/// Counts what many readers receive.
final class Arrivals: Sendable {
  private let lines = Atomic(0)
  var count: Int { lines.load(ordering: .acquiring) }
  func add(_ bytes: Int) { if bytes > 0 { lines.add(1, ordering: .acquiringAndReleasing) } }
}
