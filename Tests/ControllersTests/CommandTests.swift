import Controllers
import DeviceKit
import Documents
import Logging
import Resources
import Synchronization
import TestSupport
import Testing
import TwinStore

@Suite struct CommandTests {
  static let resource = TwinPlace.name

  func isTaken(_ place: TwinPlace, _ command: inout TwinWork.Command?) -> Bool {
    command = command ?? place.store.takeWork(TwinPlace.key).command
    return command != nil
  }

  func post(_ place: TwinPlace, _ body: JSONValue, dryRun: Bool = false) async throws -> WriteResult {
    try await place.backend.create(
      Self.resource, TwinPlace.object,
      subresource: try #require(TwinBackend.definition.subresources.first { $0.name == "commands" }), body,
      .init(isDryRun: dryRun, fieldManager: "anna"))
  }

  func refusal(_ place: TwinPlace, _ body: JSONValue) async -> APIStatus? {
    do {
      _ = try await post(place, body)
      return nil
    } catch {
      return error as? APIStatus
    }
  }

  @Test func `A command is sent once, audited, answered with its end and is no wish`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["pump": .boolean(false)])
    let audit = WriteAudits()
    try await place.serving(session, audit) {
      place.store.connection(TwinPlace.key, isConnected: true)
      #expect(try await post(place, ["property": "pump", "value": true], dryRun: true).object["state"] == nil)
      let result = try await post(place, ["property": "pump", "value": true, "verify": true, "timeout": "30s"])
      #expect(result.isCreated && result.object["state"] == "Succeeded" && result.object["reported"] == true)
      #expect(Timestamp(result.object["sentTime"]?.string ?? "") != nil)
      #expect(Timestamp(result.object["endTime"]?.string ?? "") != nil)
    }
    #expect(session.writes == [PropertyWrite(property: "pump", value: .boolean(true))])
    let pump = try #require(place.store.snapshot(TwinPlace.key)?["pump"])
    #expect(pump.desired == nil && pump.reading.value == .boolean(true))
    #expect(audit.entries.withLock { $0.map(\.by) } == [.command(user: "anna")])
  }

  @Test func `A refusal of the device is Failed with its words, an answer that never came is Unknown`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession([:])
    try await place.serving(session) {
      place.store.connection(TwinPlace.key, isConnected: true)
      let errors = [
        ("Failed", DeviceError(reason: "IllegalDataValue", message: "exception 3", isPermanent: true)),
        ("Unknown", DeviceError(reason: "Timeout", message: "no answer within 1 s")),
      ]
      for (state, error) in errors {
        session.state.withLock { $0.refusal = error }
        let result = try await post(place, ["property": "pump", "value": true, "timeout": "60s"])
        #expect(result.object["state"]?.string == state && result.object["message"]?.string == error.message)
      }
    }
    #expect(session.writes.count == 2, "nothing is tried again")
  }

  @Test func `What cannot be is refused with its code and reason, and nothing is sent`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession([:])
    try await place.serving(session) {
      #expect(await refusal(place, ["property": "pump", "value": true])?.causes.first?.reason == "NotConnected")
      place.store.connection(TwinPlace.key, isConnected: true)
      let bodies: [(JSONValue, Int, String)] = [
        (["property": "setpoint", "value": 61], 422, "value: 61 is above the maximum 60 degC"),
        (["property": "ghost", "value": 1], 422, "value: the model has no property ghost"),
        (["property": "temperature", "value": 1], 422, "value: temperature is read-only"),
        (["value": 1], 422, "property: Required value"), (["property": "pump"], 422, "value: Required value"),
        (
          ["property": "pump", "value": true, "timeout": "61s"], 422, "timeout: takes a duration up to 60s, such as 10s"
        ),
        (
          ["property": "pump", "value": true, "idempotencyKey": ""], 422,
          "idempotencyKey: takes a text of 1 to 128 bytes"
        ),
      ]
      for (body, code, message) in bodies {
        let status = await refusal(place, body)
        #expect(status?.code == code && status?.message.hasSuffix(message) == true, "\(status?.message ?? "taken")")
      }
      session.state.withLock { $0.isStuck = true }
      try await place.store.setDesired(["pump": true], of: TwinPlace.key, from: .spec)
      let status = await refusal(place, ["property": "pump", "value": false])
      #expect(status?.code == 409 && status?.causes.first?.reason == "HasDesiredValue")
      let before = session.writes.count { $0.value == .boolean(false) }
      #expect(before == 0)
      place.store.attach(
        TwinPlace.key,
        properties: [(PropertyDefinition(name: "pump", type: .boolean, access: .readWrite), WriteRules())],
        writesEnabled: false)
      let disabled = await refusal(place, ["property": "pump", "value": true])
      #expect(disabled?.code == 403 && disabled?.causes.first?.reason == "WritesDisabled")
    }
  }

  @Test func `One key is sent once, and stands for one command`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession([:])
    try await place.serving(session) {
      place.store.connection(TwinPlace.key, isConnected: true)
      let body: JSONValue = ["property": "pump", "value": true, "idempotencyKey": "k1"]
      async let first = post(place, body)
      async let second = post(place, body)
      let both = try await [first, second]
      #expect(both.count(where: \.isCreated) == 1 && both.allSatisfy { $0.object["state"] == "Succeeded" })
      let third = try await post(place, body)
      #expect(!third.isCreated && third.object["sentTime"] == both[0].object["sentTime"])
      let status = await refusal(place, body.merging(["value": false]))
      #expect(status?.code == 409 && status?.causes.first?.reason == "IdempotencyKeyReused")
    }
    #expect(session.writes.count == 1)
  }

  @Test func `After a crash between sending and the outcome the key answers Unknown and sends nothing`() async throws {
    let place = try TwinPlace()
    place.store.connection(TwinPlace.key, isConnected: true)
    let command = TwinCommand(
      property: "pump", value: true, user: "anna", timeout: .seconds(30), idempotencyKey: "k1")
    let asking = Task { try await place.store.carryOut(command, on: TwinPlace.key) }
    var sent: TwinWork.Command?
    try await eventually("the command is taken") { isTaken(place, &sent) }
    // The file as a kill at this moment leaves it: the row is there before the command was handed out.
    let later = try TwinPlace(copyOf: place)
    later.store.connection(TwinPlace.key, isConnected: true)
    let session = SimulatedSession([:])
    try await later.serving(session) {
      let (outcome, isRepeated) = try await later.store.carryOut(command, on: TwinPlace.key)
      #expect(isRepeated && outcome.state == .unknown && outcome.message.contains("may have taken"))
    }
    #expect(session.writes.isEmpty)
    if let sent { place.store.complete(sent, of: TwinPlace.key, nil) }
    #expect(try await asking.value.outcome.state == .succeeded)
  }

  @Test func `What is not sent in time is not sent later, and a late answer puts the record right`() async throws {
    let place = try TwinPlace()
    place.store.connection(TwinPlace.key, isConnected: true)
    var command = TwinCommand(property: "pump", value: true, user: "anna", timeout: .milliseconds(20))
    let unsent = try await place.store.carryOut(command, on: TwinPlace.key).outcome
    #expect(unsent.state == .timedOut && unsent.sentTime == nil && unsent.message.hasPrefix("not sent"))
    #expect(place.store.takeWork(TwinPlace.key).command == nil)
    command.idempotencyKey = "k2"
    command.timeout = .seconds(5)
    let asking = Task { [command] in try await place.store.carryOut(command, on: TwinPlace.key).outcome }
    var sent: TwinWork.Command?
    try await eventually("the command is taken") { isTaken(place, &sent) }
    #expect(try await asking.value.state == .timedOut)
    if let sent { place.store.complete(sent, of: TwinPlace.key, nil) }
    try await place.store.flush()
    #expect(try await place.store.carryOut(command, on: TwinPlace.key).outcome.state == .succeeded)
  }

  /// A device whose writes hang until their time is over, while it is polled.
  final class HangingSession: DeviceSession {
    let polls = Mutex(0)
    let writes = Mutex(0)
    let open = AsyncStream.makeStream(of: Void.self)
    func run() async {
      while !Task.isCancelled {
        polls.withLock { $0 += 1 }
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
    func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
      let now = WallClock.system.now
      return Dictionary(
        uniqueKeysWithValues: properties.map {
          ($0, .success(Reading(.boolean(false), sourceTime: now, gatewayTime: now)))
        })
    }
    func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
      self.writes.withLock { $0 += 1 }
      for await _ in open.stream { break }
      return writes.map { _ in DeviceError(reason: "Timeout", message: "no answer") }
    }
  }

  @Test func `A write that hangs stops no polling`() async throws {
    let place = try TwinPlace()
    let session = HangingSession()
    let polling = Task { await session.run() }
    try await place.serving(session) {
      place.store.connection(TwinPlace.key, isConnected: true)
      try await place.store.setDesired(["pump": true], of: TwinPlace.key, from: .spec)
      try await eventually("one write") { session.writes.withLock { $0 } == 1 }
      let before = session.polls.withLock { $0 }
      try await eventually("the polling goes on") { session.polls.withLock { $0 } >= before + 100 }
      #expect(session.writes.withLock { $0 } == 1 && place.store.snapshot(TwinPlace.key)?["pump"]?.state == .writing)
      session.open.continuation.yield()
      try await eventually("two writes") { session.writes.withLock { $0 } == 2 }
      session.open.continuation.finish()
    }
    polling.cancel()
    await polling.value
  }

  @Test func `Where the spec wins, a patch of the twin is kept as drift with a warning`() async throws {
    let place = try TwinPlace()
    try await place.store.setDesired(["setpoint": 50], of: TwinPlace.key, from: .spec, policy: .specWins)
    let result = try await place.backend.patch(
      TwinPlace.name, TwinPlace.object, .merge(["spec": ["desired": ["setpoint": 40, "pump": true]]]), subresource: nil,
      .init(fieldManager: "anna"))
    #expect(
      result.warnings == [
        "spec.desired.setpoint: the Device's spec wishes 50 and wins: 40 by local/anna is kept as drift and not written"
      ])
    #expect(result.object[path: "spec", "desired"] == ["setpoint": 50, "pump": true])
    let setpoint = result.object[path: "status", "properties"]?.array?.first { $0["name"] == "setpoint" }
    #expect(setpoint?["drift"]?["value"] == 40 && setpoint?["drift"]?["by"] == "local/anna")
    #expect(setpoint?["specDesired"] == nil && result.object[path: "status", "desiredPolicy"] == "SpecWins")
  }
}
