import Documents
import Glibc
import KubernetesAPI
import Logging
import ResourceStore
import Resources

/// The embedded resource API, on 10,000 Devices: writes, lists and watches, each against bare libsqlite3 with the same
/// rows, the same number of writes in a transaction and the same durability, or against what the row's name says.
func measureResourceStore() async throws -> [Measurement] {
  let bench = try StoreBench()
  var rows: [Measurement] = []
  rows.append(try await bench.creates(clients: 1, each: 400, "create, 1 client"))
  rows.append(try await bench.creates(clients: 64, each: 100, "create, 64 clients at once"))
  rows.append(try await bench.updates(clients: 64, rounds: 6, "update, 64 clients at once"))
  try await bench.fill(to: 10_000)
  rows += try await bench.lists()
  rows += try await bench.watches()
  return rows
}

/// A store and a bare database in one folder, with Devices of about 2 KB.
final class StoreBench {
  let place: BenchPlace
  let store: EmbeddedResourceStore
  let api: KubernetesAPI
  let floor: StoreFloor
  let devices = ResourceName(group: "selvedge.dev", plural: "devices")
  let definition: ResourceDefinition
  private var count = 0
  /// The text of one stored Device.
  private var body: [UInt8] = []

  init() throws {
    place = try BenchPlace()
    let definitions = try Self.customDefinitions()
    guard let definition = definitions.first(where: { $0.kind == "Device" }) else {
      throw BenchError("there is no kind Device")
    }
    self.definition = definition
    var retention = EmbeddedResourceStore.Retention()
    retention.databaseBytes = 4 << 30
    store = try EmbeddedResourceStore.open(
      directory: place.path("resources"), definitions: definitions, retention: retention, logger: .silent)
    api = KubernetesAPI(
      backends: [store], now: EmbeddedResourceStore.systemClock, version: "bench", logger: .silent)
    floor = try StoreFloor(path: place.path("floor.db"))
  }

  /// The gateway's own kinds, with a protocol and a sink that take everything.
  static func customDefinitions() throws -> [ResourceDefinition] {
    let open = "{type: object, x-kubernetes-preserve-unknown-fields: true}"
    return try CRDComposer.customResourceDefinitions(
      protocols: [(name: "modbus", connection: open, property: open, discovery: open)],
      sinks: [(name: "file", schema: open)]
    ).compactMap { ResourceDefinition(crd: $0) }
  }

  static func device(_ name: String) -> JSONValue {
    let text = String(repeating: "x", count: 900)
    return [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "Device",
      "metadata": [
        "name": .string(name), "labels": ["line": "a", "hall": "3"], "annotations": ["example.dev/note": .string(text)],
      ],
      "spec": [
        "modelRef": ["name": "boiler-controller"],
        "connection": ["modbus": ["tcp": ["host": "10.0.0.1", "port": 502], "unitID": 1]],
        "desired": ["setpoint": 60],
      ],
    ]
  }

  private var create: @Sendable (String) async throws -> Void {
    { [store, devices] name in
      _ = try await store.create(
        devices, namespace: "default", Self.device(name), WriteOptions(fieldManager: "bench"))
    }
  }

  /// Microseconds of wall time a write, ours and the floor's, in turns; the floor writes as many in a transaction.
  private func compared(
    _ name: String, turns: Int, writes: Int, kind: String, ours: (_ turn: Int) async throws -> [String]
  ) async throws -> Measurement {
    var row = Measurement(name: name, ours: .infinity, floor: .infinity, unit: "us/write")
    for turn in 0..<turns {
      let before = await store.commits
      var start = monotonicNanoseconds()
      let names = try await ours(turn)
      row.ours = min(row.ours, (monotonicNanoseconds() - start) / 1e3 / Double(writes))
      let size = max(writes / max(Int(await store.commits - before), 1), 1)
      if body.isEmpty {
        body = try await store.get(devices, ObjectKey(namespace: "default", name: names[0])).serialised()
      }
      start = monotonicNanoseconds()
      for first in stride(from: 0, to: names.count, by: size) {
        try floor.write(Array(names[first..<min(first + size, names.count)]), kind: kind, body: body)
      }
      row.floor = min(row.floor, (monotonicNanoseconds() - start) / 1e3 / Double(writes))
      if turn == turns - 1 { row.name += ", \(size) a commit" }
    }
    return row
  }

  func creates(clients: Int, each: Int, _ name: String) async throws -> Measurement {
    try await compared(name, turns: 3, writes: clients * each, kind: "ADDED") { _ in
      let names = (count..<count + clients * each).map { "device-\($0)" }
      count += names.count
      try await atOnce(clients) { [create] client in
        for index in 0..<each { try await create(names[client * each + index]) }
      }
      return names
    }
  }

  func updates(clients: Int, rounds: Int, _ name: String) async throws -> Measurement {
    try await compared(name, turns: 3, writes: clients * rounds, kind: "MODIFIED") { turn in
      try await atOnce(clients) { [store, devices] client in
        for round in 0..<rounds {
          _ = try await store.patch(
            devices, ObjectKey(namespace: "default", name: "device-\(client)"),
            .merge(["metadata": ["labels": ["turn": .string("\(turn)-\(round)")]]]), subresource: nil,
            WriteOptions(fieldManager: "bench"))
        }
      }
      return (0..<rounds).flatMap { _ in (0..<clients).map { "device-\($0)" } }
    }
  }

  func fill(to total: Int) async throws {
    let names = (count..<max(total, count)).map { "device-\($0)" }
    count += names.count
    try await atOnce(64) { [create] client in
      for index in stride(from: client, to: names.count, by: 64) { try await create(names[index]) }
    }
    for first in stride(from: 0, to: names.count, by: 500) {
      try floor.write(Array(names[first..<min(first + 500, names.count)]), kind: "ADDED", body: body)
    }
  }

  /// Runs `body` for each client, all at once.
  private func atOnce(_ clients: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<clients { group.addTask { try await body(client) } }
      try await group.waitForAll()
    }
  }

  func call(_ query: String = "", accept: String = "application/json") -> APICall {
    APICall(
      method: .get, path: "/apis/selvedge.dev/v1alpha1/devices", query: APIQuery(query), accept: accept,
      contentType: "", userAgent: "bench", authority: "localhost", ifNoneMatch: "", body: [])
  }
}
