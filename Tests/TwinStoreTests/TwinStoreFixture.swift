import DeviceKit
import Documents
import Foundation
import Logging
import Synchronization
import TwinStore

/// A clock that stands until it is moved.
final class ManualClock: Sendable {
  private let time = Mutex(Timestamp(seconds: 1_700_000_000))
  var clock: WallClock { WallClock { self.time.withLock { $0 } } }
  var now: Timestamp { time.withLock { $0 } }
  func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A directory that goes with the test.
final class TemporaryDirectory: Sendable {
  let path: String
  init() {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("twins-\(UUID().uuidString)").path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Copies the files as they lie, as a kill at this moment would leave them.
  func copy() -> TemporaryDirectory {
    let other = TemporaryDirectory()
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where !name.hasSuffix("-shm") {
      try? FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: "\(other.path)/\(name)")
    }
    return other
  }
}

struct Boiler {
  static let key = DeviceKey(namespace: "default", name: "boiler-1")
  static let properties: [(PropertyDefinition, WriteRules)] = [
    (PropertyDefinition(name: "temperature", type: .number, unit: "degC"), WriteRules()),
    (
      PropertyDefinition(name: "setpoint", type: .number, unit: "degC", access: .readWrite, minimum: 20, maximum: 60),
      WriteRules(confirmWithin: .seconds(1))
    ),
    (PropertyDefinition(name: "pump", type: .boolean, access: .readWrite), WriteRules()),
    (PropertyDefinition(name: "counter", type: .integer), WriteRules()),
    (PropertyDefinition(name: "label", type: .string), WriteRules()),
    (PropertyDefinition(name: "config", type: .object), WriteRules()),
  ]

  let points: PointTable
  let store: TwinStore
  let clock: ManualClock

  init(
    in directory: TemporaryDirectory, key: DeviceKey = key, clock: ManualClock = ManualClock(),
    options: TwinStore.Options = .init(), properties: [(PropertyDefinition, WriteRules)] = properties,
    attaches: Bool = true
  ) throws {
    points = PointTable()
    self.clock = clock
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    store = try TwinStore.open(
      directory: directory.path, points: points, clock: clock.clock, logger: logger, options: options)
    if attaches { store.attach(key, properties: properties, writesEnabled: true) }
  }

  func report(_ property: String, _ value: Value?, quality: Quality = .good, cause: String = "") {
    var batch = SampleBatch()
    batch.append(
      points.id(of: PointName(device: Self.key, property: property)), value, quality: quality,
      sourceTime: clock.now.nanoseconds, gatewayTime: clock.now.nanoseconds, cause: cause)
    store.ingest(batch)
  }

  subscript(property: String) -> TwinSnapshot.Property { store.snapshot(Self.key)![property]! }
  var version: UInt64 { store.snapshot(Self.key)!.version }

  /// Answers everything that is due, with a device that holds `registers`.
  func serve(_ registers: inout [String: Value]) {
    while true {
      let work = store.takeWork(Self.key)
      if work.isEmpty { return }
      for read in work.reads {
        clock.advance(.milliseconds(1))
        store.complete(
          read, of: Self.key,
          .success(Reading(registers[read.property], sourceTime: clock.now, gatewayTime: clock.now)))
      }
      for write in work.writes where store.isWanted(write, of: Self.key) {
        registers[write.property] = write.value
        store.complete(write, of: Self.key, nil)
      }
    }
  }
}
