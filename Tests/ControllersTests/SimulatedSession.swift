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

  convenience init(_ rules: WriteRules = WriteRules(confirmWithin: .milliseconds(200), retries: 2)) throws {
    try self.init(rules, fileOf: nil)
  }

  /// The files of `other` as they lie, as a kill at this moment would leave them.
  convenience init(copyOf other: TwinPlace) throws { try self.init(WriteRules(), fileOf: other.path) }

  private init(_ rules: WriteRules, fileOf other: String?) throws {
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
    backend = TwinBackend(
      twins: store, labels: { $0.name == "boiler-1" ? ["line": "a"] : [:] },
      applyJSONPatch: TwinPlace.replace, watchPeriod: .milliseconds(20), bookmarkPeriod: .milliseconds(300))
    attach(Self.key, rules)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

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

  /// As much of RFC 6902 as these tests send: `test` and `replace` of whole members.
  @Sendable static func replace(_ patch: JSONValue, _ document: JSONValue) throws(APIStatus) -> JSONValue {
    var result = document
    for operation in patch.array ?? [] {
      let path = (operation["path"]?.string ?? "").split(separator: "/").map(String.init)
      guard path.count == 3, let value = operation["value"] else { throw .badRequest("not in these tests") }
      if operation["op"] == "test" {
        guard document[path[0]]?[path[1]]?[path[2]] == value else {
          throw .invalid(kind: "Twin", group: "twin.selvedge.dev", name: "", causes: [])
        }
        continue
      }
      var top = result[path[0]] ?? [:]
      var middle = top[path[1]] ?? [:]
      middle[path[2]] = value
      top[path[1]] = middle
      result[path[0]] = top
    }
    return result
  }
}

/// Waits until `condition` holds; false if it never does.
func eventually(_ condition: () -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + .seconds(60)
  while ContinuousClock.now < deadline {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(2))
  }
  return false
}
