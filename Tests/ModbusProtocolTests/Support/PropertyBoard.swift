import DeviceKit
import Documents
import ModbusProtocol
import NIOPosix
import Synchronization
import TestSupport

/// Properties that a test sets, for a server to show.
final class PropertyBoard: PropertyAccess {
  private struct State {
    var version: UInt64 = 1
    var states: [PointID: PropertyState] = [:]
    var wishes: [(wishes: [PropertyWish], author: String)] = []
    var refusal: WishRefusal?
    var looks = 0
    var gate: AsyncStream<Void>?
  }
  private let state = Mutex(State())
  private let points = PointTable()

  static func name(_ property: String) -> PointName {
    PointName(device: DeviceKey(namespace: "default", name: "meter-1"), property: property)
  }

  /// Nil takes the property away. A good value of a type of its own, unless another is given.
  func set(
    _ property: String, _ value: Value?, _ quality: Quality = .good, type: PropertyType? = nil,
    items: PropertyType? = nil, wished: Value? = nil
  ) {
    let natural: PropertyType =
      switch value {
      case .boolean: .boolean
      case .integer, .unsigned: .integer
      case .string: .string
      case .object(.array): .array
      case .object: .object
      case .number, nil: .number
      }
    let time = Timestamp(nanoseconds: 1)
    state.withLock {
      $0.version += 1
      $0.states[points.id(of: Self.name(property))] = PropertyState(
        type: type ?? natural, items: items,
        reading: Reading(value, quality: quality, sourceTime: time, gatewayTime: time, cause: "so it is"),
        wished: wished)
    }
  }

  func remove(_ property: String) {
    state.withLock {
      $0.version += 1
      $0.states[points.id(of: Self.name(property))] = nil
    }
  }

  func refuse(_ refusal: WishRefusal?) { state.withLock { $0.refusal = refusal } }
  /// Wishes wait until `gate` ends.
  func hold(_ gate: AsyncStream<Void>?) { state.withLock { $0.gate = gate } }

  /// What was wished, by property, one element for each request.
  var wishes: [[String: Value]] {
    state.withLock { state in
      state.wishes.map { Dictionary($0.wishes.map { ($0.name.property, $0.value) }, uniquingKeysWith: { $1 }) }
    }
  }
  var authors: Set<String> { state.withLock { Set($0.wishes.map(\.author)) } }
  /// How many properties were looked at.
  var looks: Int { state.withLock { $0.looks } }

  func point(of name: PointName) -> PointID { points.id(of: name) }
  var version: UInt64 { state.withLock { $0.version } }
  func states(of points: [PointID]) -> [PropertyState?] {
    state.withLock { state in
      state.looks += points.count
      return points.map { state.states[$0] }
    }
  }

  func wish(_ wishes: [PropertyWish], by author: String) async throws(WishRefusal) {
    if let gate = state.withLock({ $0.gate }) { for await _ in gate {} }
    let refusal = state.withLock { state in
      if state.refusal == nil { state.wishes.append((wishes, author)) }
      return state.refusal
    }
    if let refusal { throw refusal }
  }
}

extension ModbusServer {
  /// Serves `yaml` under `spec.servers[0].modbus`, at a free port, while `body` runs.
  static func serving<Result>(
    _ specification: JSONValue, _ board: PropertyBoard, adjust: (inout JSONValue) -> Void = { _ in },
    _ body: (ModbusServer, Int) async throws -> Result
  ) async throws -> Result {
    var specification = specification
    specification["port"] = 0
    adjust(&specification)
    let server = try ModbusServer(
      PropertyServerRequest(
        name: "scada", path: "spec.servers[0].modbus", specification: specification, programVersion: "1.2.3",
        access: board), on: MultiThreadedEventLoopGroup.singleton.next())
    let running = Task { await server.run() }
    do {
      let port = try await eventually("the server listens", seen: { "\(server.status)" }) {
        server.port
      }
      let result = try await body(server, port)
      running.cancel()
      await running.value
      return result
    } catch {
      running.cancel()
      await running.value
      throw error
    }
  }
}
