import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import Synchronization

/// A data directory of one test, removed at its end.
final class ScratchDirectory: Sendable {
  let path = FileManager.default.temporaryDirectory.appending(path: "selvedge-store-\(UUID().uuidString)").path()
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A clock that stands until it is moved.
final class HandClock: Sendable {
  private let time = Mutex(Timestamp(seconds: 1_800_000_000))
  var now: Timestamp { time.withLock { $0 } }
  func advance(_ span: Duration) { time.withLock { $0 = $0 + span } }
}

/// Tests of a store with the kinds of ``TestKinds``, in a directory and a time of their own.
protocol StoreTests {
  var directory: ScratchDirectory { get }
  var clock: HandClock { get }
}

extension StoreTests {
  func open(_ retention: EmbeddedResourceStore.Retention = .init()) throws -> EmbeddedResourceStore {
    try EmbeddedResourceStore.open(
      directory: directory.path, definitions: TestKinds.definitions, crds: TestKinds.crds, retention: retention,
      clock: { [clock] in clock.now })
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }
}
