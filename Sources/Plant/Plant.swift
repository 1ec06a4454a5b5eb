internal import Documents
internal import Glibc

/// A simulated factory that runs: Modbus TCP devices and MQTT devices that move, take writes and fail on demand.
public final class Plant: Sendable {
  /// The Modbus devices, in the order of the configuration.
  public let modbus: [ModbusServer]
  /// The MQTT devices, `room-1` first.
  public let rooms: [RoomDevice]
  private let loops: [ModbusLoop]
  private let roomLoop: RoomLoop?
  private let tick: Duration?

  /// Starts every device. Modbus servers listen when this returns; MQTT devices connect in the background.
  public init(_ configuration: PlantConfiguration) throws(PlantError) {
    guard configuration.modbus.count <= PlantConfiguration.maximumServers else {
      throw .tooManyServers(configuration.modbus.count)
    }
    tick = configuration.tick
    let slots = ConnectionSlots(limit: configuration.maximumConnections)
    var loops: [ModbusLoop] = []
    for _ in 0..<min(max(1, configuration.modbusThreads), configuration.modbus.count) {
      loops.append(try ModbusLoop(host: configuration.modbusHost, tick: configuration.tick, slots: slots))
    }
    var servers: [ModbusServer] = []
    for (index, kind) in configuration.modbus.enumerated() {
      let asked = configuration.modbusPort == 0 ? 0 : configuration.modbusPort + index
      let (listener, port) = try ModbusContext(host: configuration.modbusHost, port: asked).listen()
      let loop = loops[index % loops.count]
      let server = ModbusServer(
        number: index + 1, kind: kind, host: configuration.modbusHost, port: port, unitIDs: configuration.unitIDs,
        seed: configuration.seed, changed: loop.waker.wake)
      loop.add(server, listener: listener)
      servers.append(server)
    }
    modbus = servers
    self.loops = loops
    if let rooms = configuration.rooms, rooms.count > 0 {
      let devices = (1...rooms.count).map {
        RoomDevice(number: $0, topicPrefix: rooms.topicPrefix, interval: rooms.interval, seed: configuration.seed)
      }
      self.rooms = devices
      roomLoop = RoomLoop(devices: devices, configuration: rooms, clock: configuration.clock)
    } else {
      rooms = []
      roomLoop = nil
    }
    for loop in loops { loop.start() }
    roomLoop?.start()
  }

  /// Moves every Modbus device on by `ticks`, at once.
  public func advance(ticks: Int) {
    for server in modbus { for _ in 0..<ticks { server.tick(tick ?? .milliseconds(100)) } }
  }

  /// The state of the MQTT devices' connection and queue; nil where the plant has none.
  public var mqtt: RoomStatistics? { roomLoop?.statistics }

  /// Ends every device and returns when all threads have ended.
  public func stop() async {
    requestStop()
    for loop in loops { await loop.ended() }
    await roomLoop?.ended()
  }

  /// Ends every device; blocks its thread until all have ended, for at most `limit`. Returns false past that.
  @discardableResult
  public func stopAndWait(limit: Duration) -> Bool {
    requestStop()
    let deadline = monotonicNanoseconds() + limit.nanoseconds
    while loops.contains(where: { !$0.hasEnded }) || roomLoop?.hasEnded == false {
      guard monotonicNanoseconds() < deadline else { return false }
      usleep(2_000)
    }
    return true
  }

  private func requestStop() {
    for loop in loops { loop.stop() }
    roomLoop?.stop()
  }
}

/// Runs `body` beside a plant, which is stopped whatever happens.
public func withPlant<Result>(
  _ configuration: PlantConfiguration, _ body: (Plant) async throws -> Result
) async throws -> Result {
  let plant = try Plant(configuration)
  do {
    let result = try await body(plant)
    await plant.stop()
    return result
  } catch {
    await plant.stop()
    throw error
  }
}
