import Documents
import Foundation
import ResourceStore
import Resources
import Synchronization
import TestSupport
import Testing

/// Real gateways in network namespaces of their own, which all reach one device, and an API server over TLS with a
/// token: one is killed, one is cut off. The device tells who wrote to it and when.
@Suite(.serialized) struct FailoverTests {
  private static let leaseSeconds = 6

  private static let device =
    """
    \(BoilerServer.model)
    ---
    apiVersion: selvedge.dev/v1alpha1
    kind: Device
    metadata: {name: boiler-1, labels: {line: a}}
    spec:
      modelRef: {name: boiler-controller}
      connection: {modbus: {tcp: {host: 127.0.0.1, port: 1502}, unitID: 1, timeout: 500ms}}
      desired: {setpoint: 60}
    """

  private struct Place {
    let plant: PlantCluster
    let device: IsolatedPlant
    var gateways: [IsolatedGateway]

    var log: String { gateways.map { "--- \($0.name)\n\($0.log.suffix(3_000))" }.joined(separator: "\n") }
    func gateway(_ name: String?) throws -> IsolatedGateway {
      guard let found = gateways.first(where: { $0.name == name }) else { throw Trouble("nobody is \(name ?? "-")") }
      return found
    }
    /// Writes of somebody go on.
    func isWriting(_ name: String, after count: Int) -> Bool {
      let new = device.writes.dropFirst(count)
      return new.count >= 3 && new.last?.gateway == name
    }
  }

  private static func with(_ count: Int, _ body: (inout Place) async throws -> Void) async throws {
    let names = (1...count).map { "gw-\($0)" }
    try await PlantCluster.with { plant in
      let isolated = try await IsolatedPlant(gateways: names, apiPort: plant.cluster.port)
      try await plant.apply(device)
      var place = Place(plant: plant, device: isolated, gateways: [])
      for name in names {
        place.gateways.append(
          try await IsolatedGateway(name, in: isolated, plant.cluster, leaseSeconds: leaseSeconds))
      }
      try await eventually("somebody writes", seen: { [place] in place.log }) {
        isolated.writes.count > 5
      }
      try await body(&place)
      for gateway in place.gateways { gateway.kill() }
    }
  }

  /// That no write of one fell among those of another, and how long there was none at each change of hands.
  private static func gaps(_ writes: [IsolatedPlant.Write]) -> [(from: String, to: String, seconds: Double)] {
    zip(writes, writes.dropFirst()).filter { $0.gateway != $1.gateway }.map {
      ($0.gateway, $1.gateway, $1.time - $0.time)
    }
  }

  /// Each gateway's own view of who holds the device's group, which is what the API server says.
  private static func transitions(_ plant: PlantCluster) async throws -> [Int64] {
    try await plant.cluster.store.list(BuiltInKinds.leases.name, ListOptions()).items.filter {
      $0.metadata.name.hasPrefix("selvedge-group-") && $0.metadata.name != "selvedge-group-summary"
    }.map { $0[path: "spec", "leaseTransitions"]?.integer ?? 0 }
  }

  @Test(.timeLimit(.minutes(4)), arguments: [2, 3])
  func oneThatIsCutOffStopsWritingBeforeAnotherBeginsAndComesBackClean(_ count: Int) async throws {
    try await Self.with(count) { place in
      let first = try #require(place.device.writers.first)
      #expect(place.device.writers == [first], "one gateway writes")
      let log = place
      try place.gateway(first).cut()
      try await eventually("another one writes", seen: { log.log }) {
        log.device.writers.count > 1
      }
      let second = try #require(place.device.writers.last)
      let before = place.device.writes.count
      try await eventually("and goes on") { log.isWriting(second, after: before) }
      try place.gateway(first).heal()
      // The one that is back hears that it serves no longer; several durations pass.
      let healed = place.device.writes.count
      let heard = ContinuousClock.now
      try await eventually("time passes") {
        ContinuousClock.now - heard > .seconds(3 * Self.leaseSeconds) && log.isWriting(second, after: healed)
      }
      #expect(place.device.writers == [first, second], "ownership has moved once: \(place.device.writers)")
      let gap = try #require(Self.gaps(place.device.writes).first)
      print("\(count) gateways, \(first) cut off: no write for \(gap.seconds) s, then \(gap.to) alone")
      for gateway in place.gateways { try await gateway.stop() }
      #expect(
        try await place.plant.cluster.store.list(BuiltInKinds.leases.name, ListOptions()).items.allSatisfy {
          ($0[path: "spec", "holderIdentity"]?.string ?? "").isEmpty
        }, "nothing is left behind")
    }
  }

  @Test(.timeLimit(.minutes(4)), arguments: [2, 3])
  func oneThatIsKilledIsFollowedByOneOther(_ count: Int) async throws {
    try await Self.with(count) { place in
      let first = try #require(place.device.writers.first)
      let log = place
      let killed = ContinuousClock.now
      try place.gateway(first).kill()
      try await eventually("another one writes", seen: { log.log }) {
        log.device.writers.count > 1
      }
      let wait = ContinuousClock.now - killed
      let second = try #require(place.device.writers.last)
      // The dead one comes back, under the same name and with its data.
      place.gateways.removeAll { $0.name == first }
      place.gateways.append(
        try await IsolatedGateway(first, in: place.device, place.plant.cluster, leaseSeconds: Self.leaseSeconds))
      let before = place.device.writes.count
      let started = ContinuousClock.now
      try await eventually("time passes") {
        ContinuousClock.now - started > .seconds(2 * Self.leaseSeconds) && log.isWriting(second, after: before)
      }
      #expect(place.device.writers == [first, second], "ownership has moved once: \(place.device.writers)")
      print("\(count) gateways, \(first) killed: \(second) writes after \(wait)")

      // And one that is drained hands over at once.
      let drained = ContinuousClock.now
      try await place.gateway(second).stop()
      place.gateways.removeAll { $0.name == second }
      let rest = place
      try await eventually("a third one writes", seen: { rest.log }) {
        rest.device.writers.count > 2
      }
      print(
        "\(count) gateways, \(second) stopped: \(place.device.writers.last ?? "") writes after \(ContinuousClock.now - drained)"
      )
      #expect(place.device.writers.count == 3)
    }
  }
}
