import Controllers
import DeviceKit
import Documents
import Logging
import Resources
import Synchronization
import Testing

/// Statuses that go to a server which many gateways share.
@Suite struct ApplyingStatusWriterTests {
  /// Takes applies, and fails while it is told to.
  private final class Server: ResourceBackend {
    struct State {
      var applied: [JSONValue] = []
      var failure: APIStatus?
    }
    let state = Mutex(State())
    let definitions: [ResourceDefinition] = [
      ResourceDefinition(crd: [
        "spec": [
          "group": "selvedge.dev", "names": ["kind": "Device", "plural": "devices"],
          "versions": [["name": "v1alpha1"]],
        ]
      ])
    ].compactMap(\.self)

    var statuses: [JSONValue] { state.withLock { $0.applied.compactMap { $0["status"] } } }

    func patch(
      _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
    ) async throws(APIStatus) -> WriteResult {
      let failure = state.withLock { state -> APIStatus? in
        if state.failure == nil, subresource == .status, options.fieldManager == "selvedge-gateway",
          case .apply(let configuration, force: true) = patch
        {
          state.applied.append(configuration)
        }
        return state.failure
      }
      if let failure { throw failure }
      return WriteResult(object: [:])
    }

    func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue { throw .noSuchPath }
    func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
      throw .noSuchPath
    }
    func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
      async throws(APIStatus) -> WriteResult
    { throw .noSuchPath }
    func update(
      _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?,
      _ options: WriteOptions
    ) async throws(APIStatus) -> WriteResult { throw .noSuchPath }
    func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
      async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
    { throw .noSuchPath }
    func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
      async throws(APIStatus) -> AsyncStream<WatchEvent>
    { throw .noSuchPath }
  }

  private final class HandClock: Sendable {
    let time = Mutex(Timestamp(seconds: 1_800_000_000))
    func advance(_ span: Duration) { time.withLock { $0 = $0 + span } }
  }

  private let server = Server()
  private let clock = HandClock()
  private let key = ObjectKey(namespace: "plant", name: "boiler")
  private let writer: ApplyingStatusWriter

  init() {
    writer = ApplyingStatusWriter(
      backend: server, clock: WallClock { [clock] in clock.time.withLock { $0 } }, logger: Logger(label: "test"))
  }

  private func write(_ patch: JSONValue, over previous: JSONValue = [:]) async throws {
    try await writer.write(patch, to: key, of: .devices, over: previous)
  }

  @Test("The first write goes out at once and whole, with what stood there and without nulls")
  func first() async throws {
    try await write(["phase": "Up", "gone": nil], over: ["identity": ["serial": "7"], "gone": 1])
    #expect(server.statuses == [["identity": ["serial": "7"], "phase": "Up"]])
    let applied = server.state.withLock { $0.applied }
    #expect(applied.first?["apiVersion"] == "selvedge.dev/v1alpha1" && applied.first?["kind"] == "Device")
    #expect(applied.first?.objectKey == key && applied.first?["spec"] == nil)
  }

  @Test("What follows within ten seconds becomes one write, whoever brings it")
  func coalesced() async throws {
    try await write(["identity": ["serial": "7"]])
    // The mirror has not heard of the first write yet.
    for number in 1...5 { try await write(["number": .integer(Int64(number))], over: [:]) }
    clock.advance(.seconds(9))
    await writer.writeDue()
    #expect(server.statuses.count == 1)
    #expect(await writer.waitingCount == 1)
    clock.advance(.seconds(1))
    await writer.writeDue()
    #expect(server.statuses.last == ["identity": ["serial": "7"], "number": 5] && server.statuses.count == 2)
    clock.advance(.seconds(60))
    await writer.writeDue()
    await writer.writeDue()
    #expect(server.statuses.count == 2, "with nothing to say nothing is said")
    try await write(["number": 6], over: ["number": 5])
    #expect(server.statuses.last == ["number": 6])
    let figures = await writer.figures
    #expect(figures.applied == 3 && figures.coalesced == 4 && figures.failed == 0 && figures.unchanged == 0)
  }

  @Test("That somebody has looked once more is said once an hour, with what else there is to say at once")
  func looking() async throws {
    func scan(_ time: String, _ found: Int64) async throws {
      clock.advance(.seconds(60))
      try await write(["lastScanTime": .string(time), "found": .integer(found)])
    }
    try await scan("2026-11-21T10:00:00Z", 1)
    for minute in 10...59 { try await scan("2026-11-21T10:\(minute):00Z", 1) }
    #expect(server.statuses.count == 1)
    try await scan("2026-11-21T10:59:30Z", 2)
    #expect(server.statuses.last == ["lastScanTime": "2026-11-21T10:59:30Z", "found": 2])
    try await scan("2026-11-21T11:59:30Z", 2)
    #expect(server.statuses.count == 3)
    #expect(await writer.figures.unchanged == 50)
  }

  @Test("What fails is tried again until it is through; what cannot succeed is not")
  func failures() async throws {
    server.state.withLock { $0.failure = APIStatus(code: 503, reason: "ServiceUnavailable", message: "away") }
    for number in 1...2 { try await write(["number": .integer(Int64(number))]) }
    clock.advance(.seconds(10))
    await writer.writeDue()
    #expect(server.statuses.isEmpty)
    #expect(await writer.waitingCount == 1)
    server.state.withLock { $0.failure = nil }
    await writer.writeDue()
    #expect(server.statuses.isEmpty, "a try counts as a write")
    clock.advance(.seconds(10))
    await writer.writeDue()
    #expect(server.statuses == [["number": 2]])
    server.state.withLock { $0.failure = APIStatus(code: 404, reason: "NotFound", message: "gone") }
    clock.advance(.seconds(10))
    #expect(await writer.figures.failed == 2)
    await #expect(throws: APIStatus.self) { try await write(["number": 3]) }
    #expect(await writer.figures.failed == 3)
    #expect(await writer.waitingCount == 0)
  }
}
