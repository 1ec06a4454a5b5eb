import DeviceKit
import Documents
import Foundation
import Logging
import Synchronization
import Testing
import TwinStore

/// One store that many runs share, each with a device of its own.
final class TwinRunPlace: Sendable {
  let clock = ManualClock()
  private let path: String
  private let current: Mutex<(store: TwinStore, points: PointTable)>
  private let count = Mutex(0)
  private let last = Mutex<DeviceKey?>(nil)

  init() throws {
    // In memory where there is such a place: it is not the disk that is tested here.
    let shared = "/dev/shm"
    let root = FileManager.default.isWritableFile(atPath: shared) ? shared : NSTemporaryDirectory()
    path = "\(root)/twins-\(UUID().uuidString)"
    current = Mutex(try Self.open(path, clock))
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  private static func open(_ path: String, _ clock: ManualClock) throws -> (TwinStore, PointTable) {
    let points = PointTable()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return (try TwinStore.open(directory: path, points: points, clock: clock.clock, logger: logger), points)
  }

  var store: TwinStore { current.withLock { $0.store } }

  /// A new device; the one before it goes.
  func nextKey() -> DeviceKey {
    if let last = last.withLock({ $0 }) { store.remove(last) }
    let key = DeviceKey(namespace: "n", name: "d\(nextNumber())")
    last.withLock { $0 = key }
    return key
  }

  private func nextNumber() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }

  func restart() async {
    await store.close()
    guard let opened = try? Self.open(path, clock) else {
      Issue.record("the file cannot be opened again")
      return
    }
    current.withLock { $0 = opened }
  }

  func report(_ key: DeviceKey, _ name: String, _ value: Int) {
    let (store, points) = current.withLock { $0 }
    var batch = SampleBatch()
    batch.append(
      points.id(of: PointName(device: key, property: name)), .integer(Int64(value)), quality: .good,
      sourceTime: clock.now.nanoseconds, gatewayTime: clock.now.nanoseconds)
    store.ingest(batch)
  }
}
