import Controllers
import DeviceKit
import Documents
import Glibc
import Logging
import ModbusProtocol
import NIOPosix
import Synchronization
import TwinStore

/// The gateway's Modbus server over a twin of 125 integer properties, one a holding register. Runs as a peer, until its
/// process is killed or its parent is gone.
struct PropertyServerPeer {
  static let command = "serve-properties"

  /// How much may be left as it was looked at for the request before.
  enum Motion: Int, CaseIterable {
    case nothingMoves, othersMove, everythingMoves
  }

  /// The twins, of which any property may have changed whenever somebody asks, and all have where `isChanging`.
  private struct Moving: PropertyAccess {
    let twins: TwinPropertyAccess
    let isChanging: Bool
    let counter = Counter()
    final class Counter: Sendable { let value = Atomic<UInt64>(0) }

    func point(of name: PointName) -> PointID { twins.point(of: name) }
    var version: UInt64 { counter.value.add(1, ordering: .relaxed).newValue }
    func states(of points: [PointID]) -> [PropertyState?] {
      var states = twins.states(of: points)
      guard isChanging else { return states }
      let value = Int64(counter.value.load(ordering: .relaxed) & 0x7FFF)
      for index in states.indices { states[index]?.reading.value = .integer(value) }
      return states
    }
    func wish(_ wishes: [PropertyWish], by author: String) async throws(WishRefusal) {
      try await twins.wish(wishes, by: author)
    }
  }

  /// A process of its own.
  static func start(_ motion: Motion) throws -> (process: ChildProcess, port: Int) {
    let process = try ChildProcess(peer: command, [motion.rawValue])
    guard let port = process.nextLine().flatMap({ Int($0) }) else {
      throw BenchError("the property server does not start")
    }
    return (process, port)
  }

  /// Prints the port and serves.
  static func serve(_ motion: Motion) async throws {
    let place = try BenchPlace()
    let points = PointTable()
    let twins = try TwinStore.open(directory: place.path("twins"), points: points, logger: .silent)
    let device = DeviceKey(namespace: "default", name: "meter-1")
    let names = (0..<RegisterServer.block).map { "p\($0)" }
    twins.attach(
      device, properties: names.map { (PropertyDefinition(name: $0, type: .integer), WriteRules()) },
      writesEnabled: false)
    var batch = SampleBatch()
    for (index, name) in names.enumerated() {
      batch.append(
        points.id(of: PointName(device: device, property: name)), .integer(Int64(index) + 1), quality: .good,
        sourceTime: 1, gatewayTime: 1)
    }
    twins.ingest(batch)
    let access = TwinPropertyAccess(twins: twins) { _ in }
    let map: [JSONValue] = names.enumerated().map { index, name in
      ["device": "meter-1", "property": .string(name), "table": "holding", "address": .integer(Int64(index))]
    }
    let server = try ModbusServer(
      PropertyServerRequest(
        name: "bench", path: "bench", specification: ["port": 0, "map": .array(map)], programVersion: "0",
        access: motion == .nothingMoves
          ? access as any PropertyAccess : Moving(twins: access, isChanging: motion == .everythingMoves)),
      on: MultiThreadedEventLoopGroup.singleton.next())
    let parent = getppid()
    let running = Task { await server.run() }
    while server.port == nil { try await Task.sleep(for: .milliseconds(10)) }
    print(server.port ?? 0)
    fflush(nil)
    while getppid() == parent { try await Task.sleep(for: .seconds(1)) }
    running.cancel()
    await running.value
  }
}
