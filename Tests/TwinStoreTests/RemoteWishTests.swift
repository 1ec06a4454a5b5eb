import DeviceKit
import Documents
import Testing
import TwinStore

/// What the store makes of the cloud's messages.
@Suite struct RemoteWishTests {
  private func wish(_ id: String, _ values: [String: JSONValue], base: UInt64? = nil) -> RemoteWish {
    RemoteWish(id: id, values: values, baseVersion: base)
  }

  @Test func `Each property gets its answer, and what can be is taken`() async throws {
    let boiler = try Boiler(in: TemporaryDirectory())
    let answer = try await boiler.store.take(
      wish("1", ["setpoint": 30, "temperature": 1, "pump": "on", "nothing": 1]), of: Boiler.key)
    #expect(!answer.isRepeated)
    #expect(
      answer.properties.mapValues(\.verdict) == [
        "setpoint": .accepted, "temperature": .rejected, "pump": .rejected, "nothing": .rejected,
      ])
    #expect(answer.properties["setpoint"]?.message == "")
    #expect(answer.properties.values.filter { $0.verdict != .accepted }.allSatisfy { !$0.message.isEmpty })
    #expect(boiler["setpoint"].desired?.source == .cloud && boiler["pump"].desired == nil)
    await boiler.store.close()
  }

  @Test func `The same id changes nothing and gets the first answer, after a crash too`() async throws {
    let directory = TemporaryDirectory()
    let clock = ManualClock()
    var boiler = try Boiler(in: directory, clock: clock)
    let first = try await boiler.store.take(wish("1", ["setpoint": 30, "pump": 7]), of: Boiler.key)
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .local(user: "anna"))
    for isCrashed in [false, true] {
      if isCrashed {
        let left = directory.copy()
        await boiler.store.close()
        boiler = try Boiler(in: left, clock: clock)
      }
      let again = try await boiler.store.take(wish("1", ["setpoint": 30, "pump": 7]), of: Boiler.key)
      #expect(again.isRepeated && again.properties == first.properties)
      #expect(boiler["setpoint"].desired?.value == 40)
    }
    // It is forgotten in the end.
    clock.advance(.seconds(25 * 3_600))
    #expect(try await !boiler.store.take(wish("1", ["setpoint": 30, "pump": 7]), of: Boiler.key).isRepeated)
    #expect(boiler["setpoint"].desired?.value == 30)
    await boiler.store.close()
  }

  @Test func `An id that stands for another wish is refused, and so is a device that is not there`() async throws {
    let boiler = try Boiler(in: TemporaryDirectory())
    _ = try await boiler.store.take(wish("1", ["setpoint": 30]), of: Boiler.key)
    await #expect(throws: TwinError.self) {
      _ = try await boiler.store.take(wish("1", ["setpoint": 31]), of: Boiler.key)
    }
    #expect(boiler["setpoint"].desired?.value == 30)
    let other = DeviceKey(namespace: "default", name: "nobody")
    await #expect(throws: TwinError.notFound(other)) { _ = try await boiler.store.take(wish("2", ["a": 1]), of: other) }
    await boiler.store.close()
  }

  @Test func `A conflict is one property's, and says who wishes what`() async throws {
    let boiler = try Boiler(in: TemporaryDirectory())
    let known = boiler.version
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .local(user: "anna"))
    let answer = try await boiler.store.take(wish("1", ["setpoint": 30, "pump": true], base: known), of: Boiler.key)
    #expect(answer.properties.mapValues(\.verdict) == ["setpoint": .conflict, "pump": .accepted])
    #expect(answer.properties["setpoint"]?.message.hasPrefix("local/anna wishes 40 since version") == true)
    #expect(boiler["setpoint"].desired?.value == 40 && boiler["pump"].desired?.value == true)
    // With what it knows now it is taken.
    let later = try await boiler.store.take(wish("2", ["setpoint": 30], base: boiler.version), of: Boiler.key)
    #expect(later.properties["setpoint"]?.verdict == .accepted && boiler["setpoint"].desired?.value == 30)
    await boiler.store.close()
  }

  @Test func `Where the spec wins, the cloud is told so`() async throws {
    let boiler = try Boiler(in: TemporaryDirectory())
    try await boiler.store.setDesired(["setpoint": 50], of: Boiler.key, from: .spec, policy: .specWins)
    let answer = try await boiler.store.take(wish("1", ["setpoint": 30, "pump": true]), of: Boiler.key)
    #expect(answer.properties.mapValues(\.verdict) == ["setpoint": .specWins, "pump": .accepted])
    #expect(boiler["setpoint"].desired?.value == 50 && boiler["setpoint"].drift?.by == .cloud)
    let withdrawn = try await boiler.store.take(wish("2", ["setpoint": .null]), of: Boiler.key)
    #expect(withdrawn.properties["setpoint"]?.verdict == .accepted && boiler["setpoint"].drift == nil)
    let nothing = try await boiler.store.take(wish("3", ["setpoint": .null]), of: Boiler.key)
    #expect(nothing.properties["setpoint"]?.verdict == .specWins && boiler["setpoint"].desired?.value == 50)
    await boiler.store.close()
  }
}
