import Controllers
import DeviceKit
import Documents
import Resources
import TestSupport
import Testing
import TwinStore

@Suite struct TwinSubresourceTests {
  let place: TwinPlace
  init() throws { place = try TwinPlace() }

  func get(_ name: String, _ query: [(String, String)] = []) async throws -> JSONValue {
    let part = try #require(TwinBackend.definition.subresources.first { $0.name == name })
    return try await place.backend.get(
      TwinPlace.name, TwinPlace.object, subresource: part, query.map { QueryItem(name: $0.0, value: $0.1) })
  }

  // MARK: history

  @Test func `The history is a document of the twin's group, the newest last, in pages`() async throws {
    for value in [true, false, true] { place.report("pump", .boolean(value)) }
    let document = try await get("history", [("limit", "2"), ("kind", "reported,Desired"), ("since", "1h")])
    #expect(document["apiVersion"] == "twin.selvedge.dev/v1alpha1" && document["kind"] == "TwinHistory")
    let items = try #require(document["items"]?.array)
    #expect(items.map { $0["to"] } == [false, true] && items.allSatisfy { $0["kind"] == "Reported" })
    #expect(items.allSatisfy { $0["property"] == "pump" && Timestamp($0["time"]?.string ?? "") != nil })
    let token = try #require(document[path: "metadata", "continue"]?.string)
    let older = try await get("history", [("limit", "2"), ("continue", token)])
    #expect(older["items"]?.array?.map { $0["to"] } == [true] && older[path: "metadata", "continue"] == nil)
    #expect(try await get("history", [("property", "setpoint")])["items"] == [])
    #expect(try await get("history", [("until", "1h")])["items"] == [])
    #expect(try await get("history", [("pretty", "true")])["items"]?.array?.count == 3)
  }

  static let bad: [([(String, String)], String)] = [
    ([("since", "yesterday")], "since \"yesterday\""), ([("until", "15")], "until \"15\""),
    ([("since", "1h"), ("until", "2h")], "since must be before until"), ([("limit", "many")], "limit \"many\""),
    ([("limit", "-1")], "limit \"-1\""), ([("limit", "999999")], "5000"), ([("kind", "Wish")], "Desired, Transition"),
    ([("continue", "abc")], "metadata.continue"), ([("propery", "pump")], "\"propery\""),
    ([("property", "ghost")], "ghost"),
  ]

  @Test(arguments: bad)
  func `A parameter that cannot be is 400 and named`(query: [(String, String)], text: String) async throws {
    let status = await #expect(throws: APIStatus.self) { try await get("history", query) }
    #expect(status?.code == 400 && status?.message.contains(text) == true, "\(status?.message ?? "")")
  }

  @Test(arguments: ["15m", "36h", "7d", "2020-01-01T00:00:00Z"])
  func `Since is a time or an age`(since: String) async throws {
    place.report("pump", .boolean(true))
    #expect(try await get("history", [("since", since)])["items"]?.array?.count == 1)
  }

  // MARK: delta

  struct Case: Sendable, CustomTestStringConvertible {
    var type: PropertyType
    var desired: JSONValue
    var reported: Value?
    var differs: Bool
    var rules = WriteRules()
    var quality = Quality.good
    var access = PropertyDefinition.Access.readWrite
    var testDescription: String { "\(type) \(desired) \(String(describing: reported)) \(quality)" }
  }

  static let cases: [Case] = [
    Case(type: .boolean, desired: true, reported: .boolean(true), differs: false),
    Case(type: .boolean, desired: true, reported: .boolean(false), differs: true),
    Case(type: .integer, desired: 7, reported: .integer(7), differs: false),
    Case(type: .integer, desired: 7, reported: .integer(8), differs: true),
    Case(type: .integer, desired: 7, reported: .integer(8), differs: false, rules: WriteRules(tolerance: 1)),
    Case(type: .number, desired: 60, reported: .number(60), differs: false),
    Case(type: .number, desired: 0.1, reported: .number(Double(Float(0.1))), differs: false),
    Case(type: .number, desired: 60, reported: .number(60.4), differs: true),
    Case(type: .number, desired: 60, reported: .number(60.4), differs: false, rules: WriteRules(tolerance: 0.5)),
    Case(type: .number, desired: 60.02, reported: .number(60), differs: false, rules: WriteRules(resolution: 0.1)),
    Case(type: .string, desired: "on", reported: .string("on"), differs: false),
    Case(type: .string, desired: "on", reported: .string("off"), differs: true),
    Case(type: .object, desired: ["a": 1], reported: .object(["a": 1]), differs: false),
    Case(type: .object, desired: ["a": 1], reported: .object(["a": 2]), differs: true),
    Case(type: .array, desired: [1, 2], reported: .object([1, 2]), differs: false),
    Case(type: .array, desired: [1, 2], reported: .object([2, 1]), differs: true),
    // Whether it holds is not known.
    Case(type: .number, desired: 60, reported: nil, differs: true),
    Case(type: .number, desired: 60, reported: .number(60), differs: true, quality: .bad),
    Case(type: .number, desired: 60, reported: .number(60), differs: false, quality: .uncertain),
    Case(type: .boolean, desired: true, reported: nil, differs: true, access: .write),
    // The model forbids it.
    Case(type: .number, desired: "warm", reported: .number(60), differs: true),
  ]

  @Test(arguments: cases)
  func `The delta compares by type and within the tolerance`(_ entry: Case) async throws {
    let definition = PropertyDefinition(name: "value", type: entry.type, unit: "u", access: entry.access)
    place.store.attach(TwinPlace.key, properties: [(definition, entry.rules)], writesEnabled: true)
    try await place.store.setDesired(["value": entry.desired], of: TwinPlace.key, from: .spec)
    if let value = entry.reported {
      place.report("value", value)
      if entry.quality != .good {
        var batch = SampleBatch()
        let now = WallClock.system.now.nanoseconds
        batch.append(
          place.points.id(of: PointName(device: TwinPlace.key, property: "value")), nil, quality: entry.quality,
          sourceTime: now, gatewayTime: now, cause: "Timeout")
        place.store.ingest(batch)
      }
    }
    let delta = try await get("delta")
    #expect(delta["kind"] == "TwinDelta" && Timestamp(delta["time"]?.string ?? "") != nil)
    #expect(delta["version"]?.integer == place.store.snapshot(TwinPlace.key).map { Int64($0.version) })
    let items = try #require(delta["properties"]?.array)
    #expect(items.count == (entry.differs ? 1 : 0))
    guard entry.differs, let item = items.first else { return }
    #expect(item["name"] == "value" && item["desired"] == entry.desired && item["by"] == "spec")
    #expect(item["reported"] == entry.reported?.json && item["state"]?.string != nil && item["quality"]?.string != nil)
    let asked = place.store.snapshot(TwinPlace.key)?["value"]?.desired?.time.description
    #expect(item["since"]?.string == asked, "it never held since it was asked for")
  }

  @Test func `What held and does so no more differs since it was found, and confirming empties the delta`() async throws
  {
    place.store.connection(TwinPlace.key, isConnected: true)
    #expect(try await get("delta")["properties"] == [])
    try await place.store.setDesired(["pump": true], of: TwinPlace.key, from: .local(user: "ann"))
    #expect(try await get("delta")["properties"]?.array?.first?["by"] == "local/ann")
    let session = SimulatedSession(["pump": .boolean(false)])
    let writer = DesiredStateWriter(twins: place.store) { _ in }
    let serving = Task { await writer.run(device: TwinPlace.key, session: session) }
    try await eventually("the wish is confirmed") { place.store.snapshot(TwinPlace.key)?["pump"]?.state == .confirmed }
    serving.cancel()
    await serving.value
    #expect(try await get("delta")["properties"] == [])
    let held = WallClock.system.now
    place.report("pump", .boolean(false))
    let item = try #require(try await get("delta")["properties"]?.array?.first)
    #expect(item["reported"] == false && item["desired"] == true)
    #expect(Timestamp(item["since"]?.string ?? "").map { held - $0 < .milliseconds(1) } == true)
  }

  // MARK: versions

  @Test func `After a resume there is nothing older, and the newest of every twin that changed`() async throws {
    let names = (0..<20).map { DeviceKey(namespace: "default", name: "d\($0)") }
    for name in names { place.attach(name) }
    for name in names { place.report("temperature", .number(1), of: name) }
    let version = place.store.version
    let changed = names.filter { $0.name.hasSuffix("3") || $0.name.hasSuffix("7") }
    for name in changed { place.report("temperature", .number(2), of: name) }
    var events = try await place.backend.watch(TwinPlace.name, .init(), since: version).makeAsyncIterator()
    for name in changed { place.report("temperature", .number(3), of: name) }
    var seen: [String: JSONValue] = [:]
    while let event = await events.next(), event.change != .bookmark {
      #expect(event.resourceVersion > version, "nothing that the reader knows is told again")
      let name = event.object[path: "metadata", "name"]?.string ?? ""
      let entry = event.object[path: "status", "properties"]?.array?.first { $0["name"] == "temperature" }
      seen[name] = entry?["reported"]
    }
    #expect(seen.keys.sorted() == changed.map(\.name).sorted() && seen.values.allSatisfy { $0 == .double(3) })
  }

  // MARK: events

  static func change(
    _ from: DesiredState.Phase?, _ to: DesiredState.Phase?, _ reason: String = "", _ message: String = ""
  )
    -> TwinTransition
  {
    TwinTransition(
      device: TwinPlace.key, property: "setpoint",
      transition: .init(from: from, to: to, reason: reason, message: message), time: Timestamp(seconds: 1),
      wish: DesiredWish(value: 60, source: .local(user: "ann"), time: Timestamp(seconds: 1)))
  }

  static let told: [(TwinTransition, String, String)] = [
    (change(.writing, .confirmed), "DesiredConfirmed", "setpoint=60 asked for by local/ann"),
    (
      change(.writing, .failed, "NotConfirmed", "reads 20 after writing 60"), "DesiredFailed",
      "setpoint=60 asked for by local/ann: reads 20 after writing 60"
    ),
    (change(.pending, .rejected, "Refused", "no"), "DesiredRejected", "setpoint=60 asked for by local/ann: no"),
    (change(.pending, .expired, "Expired"), "DesiredExpired", "setpoint=60 asked for by local/ann: Expired"),
    (change(.pending, .held, "WritesDisabled", "off"), "DesiredHeld", "setpoint=60 asked for by local/ann: off"),
    (change(.confirmed, .held, "Drifted", "to 20"), "DesiredDrifted", "setpoint=60 asked for by local/ann: to 20"),
    (
      change(.confirmed, .writing), "DesiredDrifted",
      "setpoint=60 asked for by local/ann: the device no longer holds it; it is written again"
    ),
  ]

  @Test(arguments: told)
  func `An event tells property, value and who asked`(change: TwinTransition, reason: String, message: String) {
    let event = TransitionReporter.event(of: change)
    #expect(event?.reason == reason && event?.message == message)
    #expect((event?.type == .normal) == (reason == "DesiredConfirmed"))
  }

  @Test func `What is on its way is no event`() {
    #expect(TransitionReporter.event(of: Self.change(nil, .pending)) == nil)
    #expect(TransitionReporter.event(of: Self.change(.pending, .writing)) == nil)
    #expect(TransitionReporter.event(of: Self.change(.confirmed, nil)) == nil)
  }
}
