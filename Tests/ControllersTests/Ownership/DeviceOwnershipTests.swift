import Controllers
import DeviceKit
import Documents
import Resources
import Synchronization
import TestSupport
import Testing
import TwinStore

/// Two gateways' controllers over one store: who serves, who writes, and what becomes of wishes in between.
@Suite struct DeviceOwnershipTests {
  private static let names = ["v-0", "v-1", "v-2", "v-3", "v-4", "v-5"]

  private func serving(_ device: String, _ gateways: [SharedGateway]) async -> [SharedGateway] {
    var found: [SharedGateway] = []
    for gateway in gateways
    where await gateway.devices.isActive(DeviceKey(namespace: SharedPlant.namespace, name: device)) {
      found.append(gateway)
    }
    return found
  }

  private func plant(_ values: Double, whenIsolated: String? = nil) async throws -> SharedPlant {
    let plant = try await SharedPlant()
    for name in Self.names { try await plant.createDevice(name, desired: values, whenIsolated: whenIsolated) }
    return plant
  }

  private func eachIsServedOnce(_ gateways: [SharedGateway]) async throws {
    try await eventually("each device is served by one gateway") {
      for name in Self.names where await serving(name, gateways).count != 1 { return false }
      return true
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func eachDeviceIsServedByOneAndHandedOverWhenItsGatewayStops() async throws {
    let plant = try await plant(10)
    let first = try await SharedGateway("gw-1", in: plant)
    let second = try await SharedGateway("gw-2", in: plant)
    first.start()
    second.start()
    try await eachIsServedOnce([first, second])
    try await eventually("each holds what is desired") {
      Self.names.allSatisfy { plant.devices[$0] == .number(10) }
    }
    #expect(plant.devices.writes.count == Self.names.count, "each was written once")
    var counts: [Int] = []
    try await eventually("and they are spread evenly") {
      counts = [0, 0]
      for name in Self.names {
        let who = await serving(name, [first, second])
        if who.count == 1 { counts[who[0] === first ? 0 : 1] += 1 }
      }
      return counts.allSatisfy { $0 >= 2 }
    }
    await first.stop()
    try await eachIsServedOnce([second])
    #expect(plant.devices.writes.count == Self.names.count, "what a device holds is not written again")
    #expect(try await plant.holders().values.allSatisfy { $0 == "gw-2" })
    for name in Self.names { try await plant.desire(name, 20) }
    try await eventually("the other carries on") { Self.names.allSatisfy { plant.devices[$0] == .number(20) } }
    await second.stop()
    #expect(try await plant.holders().values.allSatisfy { $0 == "" }, "nothing is left behind")
  }

  @Test(.timeLimit(.minutes(2)))
  func oneThatIsCutOffHoldsItsWishesAndReadsOnUntilItHearsThatAnotherServes() async throws {
    let plant = try await plant(10)
    let first = try await SharedGateway("gw-1", in: plant)
    first.start()
    try await eachIsServedOnce([first])
    try await eventually("each holds what is desired") { Self.names.allSatisfy { plant.devices[$0] == .number(10) } }
    let second = try await SharedGateway("gw-2", in: plant)
    second.link.cut()
    first.link.cut()
    try await eventually("the Lease has run out") { !first.ownership.statistics.isHeld }
    // Somebody on the node wishes something while nobody hears of the gateway.
    try await first.twins.setDesired(
      ["opening": 30], of: DeviceKey(namespace: SharedPlant.namespace, name: "v-0"), from: .local(user: "anna"))
    try await eventually("its wish is Held", seen: { "\(first.state("v-0"))" }) {
      first.state("v-0") == (.held, "LeaseLost")
    }
    #expect(await serving("v-0", [first]).count == 1, "it reads on")
    plant.devices.turn("v-0", .number(11))
    try await eventually("and sees what changes") {
      first.twins.snapshot(DeviceKey(namespace: SharedPlant.namespace, name: "v-0"))?["opening"]?.reading.value
        == .number(11)
    }
    let written = plant.devices.writes.count
    second.link.heal()
    second.start()
    try await eventually("the other takes over") {
      for name in Self.names where await serving(name, [second]).count != 1 { return false }
      return true
    }
    #expect(plant.devices.writes.dropFirst(written).allSatisfy { $0.gateway == "gw-2" })
    first.link.heal()
    try await eventually("the first hears of it") {
      for name in Self.names where await serving(name, [first, second]).count != 1 { return false }
      return true
    }
    // Where it has been given the device back by then, its wish is as good as any.
    let isBack = await serving("v-0", [first]).count == 1
    let since = plant.devices.writes.dropFirst(written)
    #expect(isBack || since.allSatisfy { $0.gateway == "gw-2" || $0.value != .number(30) })
    await first.stop()
    await second.stop()
  }

  @Test(.timeLimit(.minutes(2)))
  func oneThatComesBackInTimeGoesOnWithWhatWasHeld() async throws {
    let plant = try await plant(10)
    let gateway = try await SharedGateway("gw-1", in: plant)
    gateway.start()
    try await eachIsServedOnce([gateway])
    gateway.link.cut()
    let device = DeviceKey(namespace: SharedPlant.namespace, name: "v-0")
    try await eventually("the Lease has run out") { !gateway.ownership.statistics.isHeld }
    try await gateway.twins.setDesired(["opening": 30], of: device, from: .local(user: "anna"))
    try await eventually("the wish is Held", seen: { "\(gateway.state("v-0"))" }) {
      gateway.state("v-0") == (.held, "LeaseLost")
    }
    gateway.link.heal()
    try await eventually("it is carried out") { plant.devices["v-0"] == .number(30) }
    await gateway.stop()
  }

  @Test(.timeLimit(.minutes(2)))
  func whoAsksForItWritesOnWhenIsolated() async throws {
    let plant = try await plant(10, whenIsolated: "KeepWriting")
    let gateway = try await SharedGateway("gw-1", in: plant)
    gateway.start()
    try await eachIsServedOnce([gateway])
    gateway.link.cut()
    try await eventually("the Lease has run out") { !gateway.ownership.statistics.isHeld }
    try await gateway.twins.setDesired(
      ["opening": 30], of: DeviceKey(namespace: SharedPlant.namespace, name: "v-0"), from: .local(user: "anna"))
    try await eventually("the wish is carried out") { plant.devices["v-0"] == .number(30) }
    await gateway.stop()
  }

  @Test(.timeLimit(.minutes(2)))
  func oneOfThemSumsUpWhatIsShared() async throws {
    let plant = try await plant(10)
    let gateways = [try await SharedGateway("gw-1", in: plant), try await SharedGateway("gw-2", in: plant)]
    for gateway in gateways { gateway.start() }
    try await eventually("one does") { gateways.count { $0.ownership.summarises } == 1 }
    let one = try #require(gateways.first { $0.ownership.summarises })
    await one.stop()
    try await eventually("then the other") {
      gateways.count { $0.ownership.summarises } == 1 && !one.ownership.summarises
    }
    for gateway in gateways { await gateway.stop() }
  }

  @Test(.timeLimit(.minutes(2)))
  func whatAGatewayDoesNotReachIsServedByOneThatDoes() async throws {
    let plant = try await plant(10)
    plant.devices.outOfReach.withLock { _ = $0.insert("gw-1") }
    let first = try await SharedGateway("gw-1", in: plant)
    let second = try await SharedGateway("gw-2", in: plant)
    first.start()
    try await eventually("all are the first one's") {
      for name in Self.names where await serving(name, [first]).isEmpty { return false }
      return true
    }
    second.start()
    try await eventually("the second serves all") {
      for name in Self.names where await serving(name, [first, second]).map(\.name) != ["gw-2"] { return false }
      return true
    }
    try await eventually("each holds what is desired") {
      Self.names.allSatisfy { plant.devices[$0] == .number(10) }
    }
    #expect(plant.devices.writes.allSatisfy { $0.gateway == "gw-2" })
    await first.stop()
    await second.stop()
  }

  @Test(.timeLimit(.minutes(2)))
  func aPortOfAMachineNeedsANodeAmongSeveralGateways() async throws {
    let plant = try await SharedPlant()
    try await plant.createDevice("port-1", desired: 10)
    try await plant.createDevice("port-2", desired: 10, node: "gw-1")
    let gateway = try await SharedGateway("gw-1", in: plant)
    gateway.start()
    func resolution(_ name: String) async -> DeviceResolution? {
      await gateway.devices.resolution(of: DeviceKey(namespace: SharedPlant.namespace, name: name))
    }
    try await eventually("one says what it needs") {
      if case .faulty("NeedsNode", let message)? = await resolution("port-1") {
        message.contains("spec.nodeName")
      } else {
        false
      }
    }
    try await eventually("the other is served") {
      if case .serve? = await resolution("port-2") { plant.devices["port-2"] == .number(10) } else { false }
    }
    #expect(await serving("port-1", [gateway]).isEmpty && plant.devices["port-1"] == .number(0))
    await gateway.stop()
  }
}
