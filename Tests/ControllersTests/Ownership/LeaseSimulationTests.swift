import Controllers
import Foundation
import Testing

/// Many gateways over hours of simulated time, by seeds.
@Suite struct LeaseSimulationTests {
  private static let groups = Set((0..<24).map { "\($0)" })

  /// Gateways that are cut off, paused, killed, restarted and drained at random for 15 minutes, with lost requests.
  private static func storm(_ seed: UInt64, gateways: Int = 5, ignoresFence: Bool = false) -> LeaseWorld {
    var world = LeaseWorld(gateways: gateways, groups: groups, seed: seed, starts: .seconds(3))
    world.ignoresFence = ignoresFence
    world.lostOfHundred = Int(seed % 4) * 3
    var time = Duration.seconds(60)
    while time < .seconds(900) {
      let node = world.pick(gateways)
      let kind = world.pick(6)
      let span = world.random(500, 120_000)
      world.at(time) { world in
        switch kind {
        case 0, 1: world.cut(node, for: span)
        case 2: world.pause(node, for: span)
        case 3: world.kill(node, backAfter: span)
        case 4: world.kill(node, backAfter: span / 10, resumes: true)
        default:
          world.drain(node)
          world.at(world.now + .seconds(30)) { $0.kill(node, backAfter: .zero) }
          world.at(world.now + span + .seconds(40)) { world in
            if !world.nodes[node].isAlive { world.revive(node) }
          }
        }
      }
      time += world.random(2_000, 40_000)
    }
    world.run(until: .seconds(900))
    return world
  }

  @Test(arguments: 1...16)
  func noTwoGatewaysWriteToOneGroup(_ seed: Int) {
    var world = Self.storm(UInt64(seed))
    #expect(world.violations.isEmpty, "\(world.violations.prefix(3))")
    #expect(world.moves > 0, "something has changed hands")
    // Everything heals, and everybody is there.
    world.lostOfHundred = 0
    world.run(until: .seconds(1_080))
    for node in world.nodes.indices where !world.nodes[node].isAlive { world.revive(node) }
    world.run(until: .seconds(1_800))
    #expect(world.violations.isEmpty, "\(world.violations.prefix(3))")
    #expect(world.unsettled == [], "each group has one gateway")
    let loads = world.loads
    #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1, "spread evenly: \(loads)")
    let moves = world.moves
    world.run(until: .seconds(2_400))
    #expect(world.moves == moves, "and what is spread evenly stays where it is")
  }

  @Test func gatewaysThatDoNotStopInTimeAreCaught() {
    let violations = (1...4).reduce(0) { $0 + Self.storm(UInt64($1), ignoresFence: true).violations.count }
    #expect(violations > 0, "the check can fail")
  }

  /// What dead gateways served is served again within the duration, a renewal's and a look's time, and the handing over.
  @Test func aHundredGatewaysWithTenThousandDevices() {
    let devices = (0..<10_000).map { DeviceGroup.name(label: nil, endpoint: "modbus 10.0.\($0 / 250).\($0 % 250):502") }
    let sizes = Dictionary(devices.map { ($0, 1) }, uniquingKeysWith: +)
    var world = LeaseWorld(
      gateways: 100, groups: Set(devices).union([DeviceGroup.summary]), seed: 7, starts: .seconds(20))
    world.triesWrites = false
    world.run(until: .seconds(300))
    #expect(world.unsettled == [])
    let loads = world.loads.sorted()
    #expect((loads.last ?? 0) - (loads.first ?? 0) <= 1, "\(loads)")
    let counts = world.nodes.map { node in node.served.reduce(0) { $0 + (sizes[$1] ?? 0) } }.sorted()
    let before = world.requests
    world.run(until: .seconds(600))
    let rate = Double(world.requests - before) / 300
    #expect(rate <= 33.4, "one renewal and two looks in 10 s, a tenth more or less, for each of a hundred gateways")

    // Ten die at once.
    let killed = Array(0..<10)
    let died = world.now
    let orphans = killed.flatMap { world.nodes[$0].served }
    for node in killed { world.kill(node, backAfter: nil) }
    let requests = world.requests
    world.run(until: died + .seconds(120))
    #expect(world.unsettled == [])
    let waits = orphans.compactMap { group in world.taken[group].map { ($0.time - died) / .seconds(1) } }.sorted()
    #expect(waits.count == orphans.count && (waits.last ?? 0) < 55, "\(waits)")
    print(
      "100 gateways, 10,000 devices: \(rate) requests a second at rest;",
      "groups a gateway \(loads.first ?? 0)-\(loads.last ?? 0), devices \(counts.first ?? 0)-\(counts.last ?? 0);",
      "ten killed: taken over after \(waits.first ?? 0) to \(waits.last ?? 0) s,",
      "median \(waits[waits.count / 2]) s; \(Double(world.requests - requests) / 120) requests a second meanwhile")
  }

  @Test(arguments: [(1, 0.13), (100, 33.4)])
  func requestsAtRestGrowWithTheGatewaysAlone(_ gateways: Int, _ limit: Double) {
    var world = LeaseWorld(
      gateways: gateways, groups: Self.groups.union([DeviceGroup.summary]), seed: 3, starts: .seconds(10))
    world.triesWrites = false
    world.run(until: .seconds(300))
    let before = world.requests
    world.run(until: .seconds(400))
    let rate = Double(world.requests - before) / 100
    print("\(gateways) gateways: \(rate) requests a second about Leases at rest")
    #expect(rate <= limit)
    #expect(world.unsettled == [])
  }

  @Test func aDrainedGatewayHandsOverAtOnce() {
    var world = LeaseWorld(gateways: 3, groups: Self.groups, seed: 5, starts: .seconds(2))
    world.run(until: .seconds(300))
    #expect(world.unsettled == [])
    world.drain(1)
    world.run(until: .seconds(305))
    #expect(world.unsettled == [], "all is served again after 5 s")
    #expect(!world.nodes[1].isAlive && world.violations.isEmpty)
  }

  @Test func aGatewayThatIsBackInTimeKeepsItsGroups() {
    var world = LeaseWorld(gateways: 3, groups: Self.groups, seed: 6, starts: .seconds(2))
    world.run(until: .seconds(300))
    let (served, moves) = (world.nodes[1].served, world.moves)
    world.kill(1, backAfter: .seconds(8), resumes: true)
    world.run(until: .seconds(400))
    #expect(world.nodes[1].served == served && world.moves == moves && !served.isEmpty)
  }
}
