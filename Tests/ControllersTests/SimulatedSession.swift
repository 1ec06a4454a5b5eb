import Controllers
import DeviceKit
import Documents
import Foundation
import Logging
import Resources
import Synchronization
import TwinStore

/// A device of a few registers, in memory, that can refuse.
final class SimulatedSession: DeviceSession {
  struct State {
    var registers: [String: Value] = [:]
    var writes: [PropertyWrite] = []
    var refusal: DeviceError?
    /// Takes writes and does not change.
    var isStuck = false
    var reads = 0
  }
  let state: Mutex<State>
  init(_ registers: [String: Value]) { state = Mutex(State(registers: registers)) }

  func run() async {}

  func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
    state.withLock { state in
      state.reads += 1
      var answers: [String: Result<Reading, DeviceError>] = [:]
      for property in properties {
        let now = WallClock.system.now
        answers[property] = .success(Reading(state.registers[property], sourceTime: now, gatewayTime: now))
      }
      return answers
    }
  }

  func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
    state.withLock { state in
      writes.map { write in
        state.writes.append(write)
        if let refusal = state.refusal { return refusal }
        if !state.isStuck { state.registers[write.property] = write.value }
        return nil
      }
    }
  }

  subscript(property: String) -> Value? { state.withLock { $0.registers[property] } }
  var writes: [PropertyWrite] { state.withLock { $0.writes } }
}

/// Twins of one boiler in a directory of their own.
final class TwinPlace: Sendable {
  static let key = DeviceKey(namespace: "default", name: "boiler-1")
  static let name = ResourceName(group: "twin.selvedge.dev", plural: "twins")
  static let object = ObjectKey(namespace: "default", name: "boiler-1")
  let path: String
  let points = PointTable()
  let store: TwinStore
  let backend: TwinBackend

  private let labels: Labels

  /// What the twins' Devices are labelled with.
  final class Labels: Sendable {
    let all = Mutex([key: ["line": "a"]])
  }

  /// - Parameter isEmpty: whether there is no boiler yet.
  convenience init(
    _ rules: WriteRules = WriteRules(confirmWithin: .milliseconds(200), retries: 2), isEmpty: Bool = false
  ) throws {
    try self.init(rules, fileOf: nil, isEmpty: isEmpty)
  }

  /// The files of `other` as they lie, as a kill at this moment would leave them.
  convenience init(copyOf other: TwinPlace) throws {
    try self.init(WriteRules(), fileOf: other.path, isEmpty: false)
  }

  private init(_ rules: WriteRules, fileOf other: String?, isEmpty: Bool) throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("twins-\(UUID().uuidString)").path
    if let other {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for name in try FileManager.default.contentsOfDirectory(atPath: other) where !name.hasSuffix("-shm") {
        try FileManager.default.copyItem(atPath: "\(other)/\(name)", toPath: "\(path)/\(name)")
      }
    }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    store = try TwinStore.open(directory: path, points: points, logger: logger)
    let labels = Labels()
    self.labels = labels
    backend = TwinBackend(
      twins: store, labels: { device in labels.all.withLock { $0[device] ?? [:] } },
      watchPeriod: .milliseconds(20), bookmarkPeriod: .milliseconds(300))
    if !isEmpty { attach(Self.key, rules) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func label(_ key: DeviceKey, _ labels: [String: String]) { self.labels.all.withLock { $0[key] = labels } }

  func attach(_ key: DeviceKey, _ rules: WriteRules = WriteRules()) {
    store.attach(
      key,
      properties: [
        (PropertyDefinition(name: "temperature", type: .number, unit: "degC"), rules),
        (
          PropertyDefinition(
            name: "setpoint", type: .number, unit: "degC", access: .readWrite, minimum: 20, maximum: 60), rules
        ),
        (PropertyDefinition(name: "pump", type: .boolean, access: .readWrite), rules),
        (PropertyDefinition(name: "config", type: .object, access: .readWrite), rules),
      ], writesEnabled: true)
  }

  func report(_ property: String, _ value: Value, of key: DeviceKey = key) {
    var batch = SampleBatch()
    let now = WallClock.system.now.nanoseconds
    batch.append(
      points.id(of: PointName(device: key, property: property)), value, quality: .good, sourceTime: now,
      gatewayTime: now)
    store.ingest(batch)
  }
}

/// What was audited.
final class WriteAudits: Sendable {
  let entries = Mutex<[WriteAudit]>([])
  var all: [WriteAudit] { entries.withLock { $0 } }
}

extension TwinPlace {
  /// Runs `body` while a writer serves the boiler through `session`.
  func serving(
    _ session: some DeviceSession, _ audits: WriteAudits = WriteAudits(), _ body: () async throws -> Void
  ) async rethrows {
    let writer = DesiredStateWriter(twins: store) { entry in audits.entries.withLock { $0.append(entry) } }
    let task = Task { await writer.run(device: TwinPlace.key, session: session) }
    do {
      try await body()
    } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    await task.value
  }
}
