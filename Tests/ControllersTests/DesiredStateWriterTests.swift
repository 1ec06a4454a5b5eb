import Controllers
import DeviceKit
import Documents
import Synchronization
import TestSupport
import Testing
import TwinStore

@Suite struct DesiredStateWriterTests {

  func phase(_ place: TwinPlace, _ property: String = "setpoint") -> DesiredState.Phase? {
    place.store.snapshot(TwinPlace.key)?[property]?.state
  }

  @Test func `A wish is written, read back and audited with who asked`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["setpoint": .number(50), "pump": .boolean(true)])
    let audit = WriteAudits()
    try await place.serving(session, audit) {
      place.store.connection(TwinPlace.key, isConnected: true)
      place.report("setpoint", .number(50))
      try await place.store.setDesired(
        ["setpoint": 55.5, "pump": true], of: TwinPlace.key, from: .local(user: "anna"))
      try await eventually("both wishes are confirmed") {
        phase(place) == .confirmed && phase(place, "pump") == .confirmed
      }
    }
    #expect(session["setpoint"] == .number(55.5))
    #expect(session.writes == [PropertyWrite(property: "setpoint", value: .number(55.5))], "pump held already")
    #expect(
      audit.all == [
        WriteAudit(
          device: TwinPlace.key, property: "setpoint", from: .number(50), to: .number(55.5), by: .local(user: "anna"))
      ])
  }

  @Test func `A device that takes a write and does not change is Failed with what it reads`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["setpoint": .number(50)])
    session.state.withLock { $0.isStuck = true }
    try await place.serving(session) {
      place.store.connection(TwinPlace.key, isConnected: true)
      try await place.store.setDesired(["setpoint": 40], of: TwinPlace.key, from: .spec)
      try await eventually("the wish failed") { phase(place) == .failed }
    }
    let setpoint = try #require(place.store.snapshot(TwinPlace.key)?["setpoint"])
    #expect(setpoint.message == "reads 50 after writing 40" && setpoint.attempts == 2)
  }

  @Test func `A refusal is Rejected with the device's words`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["setpoint": .number(50)])
    session.state.withLock {
      $0.refusal = DeviceError(reason: "IllegalDataValue", message: "exception 3", isPermanent: true)
    }
    try await place.serving(session) {
      place.store.connection(TwinPlace.key, isConnected: true)
      try await place.store.setDesired(["setpoint": 40], of: TwinPlace.key, from: .spec)
      try await eventually("the wish is rejected") { phase(place) == .rejected }
    }
    #expect(place.store.snapshot(TwinPlace.key)?["setpoint"]?.message == "exception 3")
    #expect(session.writes.count == 1)
  }

  @Test func `A wish made while nobody serves the device is carried out by the next writer`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["setpoint": .number(50)])
    place.store.connection(TwinPlace.key, isConnected: true)
    try await place.store.setDesired(["setpoint": 40], of: TwinPlace.key, from: .spec)
    _ = place.store.takeWork(TwinPlace.key)  // fetched by one that then died
    try await place.serving(session) {
      try await eventually("the wish is confirmed") { phase(place) == .confirmed }
    }
    #expect(session["setpoint"] == .number(40))
  }

  @Test func `A value that is overwritten once is written again, and a fight is given up`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["setpoint": .number(50)])
    try await place.serving(session) {
      place.store.connection(TwinPlace.key, isConnected: true)
      try await place.store.setDesired(["setpoint": 40], of: TwinPlace.key, from: .spec)
      for overwrite in 1...3 {
        try await eventually("the wish is confirmed") { phase(place) == .confirmed }
        session.state.withLock { $0.registers["setpoint"] = .number(Double(20 + overwrite)) }
        place.report("setpoint", .number(Double(20 + overwrite)))
        try await eventually("it is written again or held") {
          session["setpoint"] == .number(40) || phase(place) == .held
        }
      }
      try await eventually("the wish is held") { phase(place) == .held }
    }
    #expect(session.writes.count == 3 && session["setpoint"] == .number(23))
  }

  @Test func `Nothing is sent while the link is down, and the wish goes out when it is back`() async throws {
    let place = try TwinPlace()
    let session = SimulatedSession(["setpoint": .number(50)])
    try await place.serving(session) {
      try await place.store.setDesired(["setpoint": 40], of: TwinPlace.key, from: .spec)
      #expect(session.state.withLock { $0.reads } == 0 && session.writes.isEmpty)
      place.store.connection(TwinPlace.key, isConnected: true)
      try await eventually("the wish is confirmed") { phase(place) == .confirmed }
    }
  }
}
