import ArgumentParser
import Documents
import Glibc
import Plant
import Synchronization

/// The simulated factory as a program of its own, for the demo, by hand, and for tests in other languages.
@main
struct SelvedgePlant: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selvedge-plant",
    abstract: "Simulates a factory: Modbus TCP and MQTT devices that move, take writes and fail on demand.",
    discussion: """
      Prints one line for each device and then 'ready'. Reads commands on standard input, one a line:

      \(ControlCommand.usage)
      """)

  @Option(help: "How many Modbus TCP servers: a boiler, an SDM630 meter, a boiler, a SunSpec inverter, and so on.")
  var modbus = 0

  @Option(
    help: "The kinds of the Modbus servers in order, instead of the mix: boiler, sdm630, sunspec (comma-separated).")
  var kinds: String?

  @Option(help: "The first Modbus server's port, the others following; 0 takes free ports.")
  var modbusPort = 0

  @Option(help: "The IPv4 address that Modbus servers listen on.")
  var modbusHost = "127.0.0.1"

  @Option(help: "The unit identifiers that Modbus servers answer to (comma-separated); 0 and 255 work always.")
  var unitIDs = "1"

  @Option(help: "Threads that share the Modbus servers.")
  var modbusThreads = 1

  @Option(help: "How many MQTT devices.")
  var mqtt = 0

  @Option(help: "The MQTT broker, as host:port.")
  var broker = "127.0.0.1:1883"

  @Option(help: "How often each MQTT device publishes, until told otherwise on its set topic, such as 10s.")
  var interval = "10s"

  @Option(help: "The MQTT devices' topics are PREFIX/room-1 and so on.")
  var topicPrefix = "sensors"

  @Option(help: "The most samples that wait while the broker is away; then the oldest go.")
  var queueLimit = 10_000

  @Flag(help: "Have the broker retain the latest sample of each MQTT device.")
  var retain = false

  @Option(help: "The same seed gives the same curves.")
  var seed: UInt64 = 1

  @Option(help: "How often Modbus devices move, such as 100ms.")
  var tick = "100ms"

  @Option(help: "A TCP port on 127.0.0.1 that takes the same commands as standard input; 0 takes a free one.")
  var controlPort: Int?

  @Option(help: "A Modbus TCP server, as host:port, to stand in front of and spoil the replies of.")
  var proxy: String?

  @Option(help: "The proxy's port; 0 takes a free one.")
  var proxyPort = 0

  @Flag(help: "The proxy's clients speak RTU framing over TCP.")
  var proxyRTU = false

  @Option(help: "Of a reply to be spoilt by the proxy, 0 to 1.")
  var faultChance = 0.1

  @Option(help: "How the proxy spoils replies (comma-separated); all ways where absent.")
  var faults: String?

  func run() throws {
    let spoiler = try proxy.map { try faultProxy($0) }
    defer { spoiler?.stop() }
    let configuration = try plantConfiguration()
    let signals = SignalDescriptor()
    let control = try controlPort.map { try ControlConsole.listen(port: $0) }
    let plant: Plant
    do {
      plant = try Plant(configuration)
    } catch {
      throw ExitMessage(error.description)
    }
    for server in plant.modbus {
      print("modbus \(server.number) \(server.kind.rawValue) \(server.host):\(server.port)")
    }
    for room in plant.rooms {
      print("mqtt \(room.name) \(room.topic) at \(configuration.rooms?.broker.description ?? "")")
    }
    if let spoiler { print("proxy 127.0.0.1:\(spoiler.port) to \(proxy ?? "")") }
    if let control { print("control 127.0.0.1:\(control.port)") }
    print("ready")
    fflush(nil)
    var console = ControlConsole(plant: plant, listener: control?.descriptor)
    console.run(until: signals.descriptor)
    if !plant.stopAndWait(limit: .milliseconds(800)) {
      // A thread hangs in a call to a broker's host that does not answer; nothing is lost by leaving it.
      _exit(0)
    }
  }

  private func faultProxy(_ server: String) throws -> FaultProxy {
    let parts = server.split(separator: ":")
    guard parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) else {
      throw ValidationError("--proxy takes host:port, not '\(server)'.")
    }
    guard (0...1).contains(faultChance) else { throw ValidationError("--fault-chance goes from 0 to 1.") }
    var script = FaultScript(chance: faultChance)
    if let faults {
      script.faults = try faults.split(separator: ",").map { name in
        guard let fault = ReplyFault(rawValue: String(name)) else {
          let known = ReplyFault.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("--faults knows \(known), not '\(name)'.")
        }
        return fault
      }
    }
    do {
      return try FaultProxy(
        to: String(parts[0]), port: port, listen: proxyPort, isRTU: proxyRTU, script: script, seed: seed)
    } catch {
      throw ExitMessage(error.description)
    }
  }

  private func plantConfiguration() throws -> PlantConfiguration {
    var configuration = PlantConfiguration(modbus: PlantConfiguration.mixed(try count(modbus, "--modbus")), seed: seed)
    if let kinds {
      configuration.modbus = try kinds.split(separator: ",").map { name in
        guard let kind = ModbusKind(rawValue: String(name)) else {
          throw ValidationError("--kinds knows boiler, sdm630 and sunspec, not '\(name)'.")
        }
        return kind
      }
    }
    guard modbusPort == 0 || (1...65_536 - max(1, configuration.modbus.count)).contains(modbusPort) else {
      throw ValidationError("--modbus-port \(modbusPort) leaves no room for \(configuration.modbus.count) ports.")
    }
    configuration.modbusPort = modbusPort
    configuration.modbusHost = modbusHost
    configuration.modbusThreads = modbusThreads
    configuration.unitIDs = Set(
      try unitIDs.split(separator: ",").map { text in
        guard let unit = UInt8(text) else {
          throw ValidationError("--unit-ids takes numbers up to 255, not '\(text)'.")
        }
        return unit
      })
    configuration.tick = try duration(tick, "--tick")
    guard let endpoint = MQTTEndpoint(broker) else {
      throw ValidationError("--broker takes host:port, not '\(broker)'.")
    }
    var rooms = RoomConfiguration(
      count: try count(mqtt, "--mqtt"), broker: endpoint, interval: try duration(interval, "--interval"))
    rooms.topicPrefix = topicPrefix
    rooms.retain = retain
    rooms.queueLimit = queueLimit
    configuration.rooms = rooms
    return configuration
  }

  private func count(_ value: Int, _ option: String) throws -> Int {
    guard (0...100_000).contains(value) else { throw ValidationError("\(option) \(value) is not a number of devices.") }
    return value
  }

  private func duration(_ text: String, _ option: String) throws -> Duration {
    guard let value = Duration(manifest: text), value > .zero else {
      throw ValidationError("\(option) takes a time such as 100ms or 10s, not '\(text)'.")
    }
    return value
  }
}

/// An error that is shown as it is.
struct ExitMessage: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Where the signal handler writes; a handler can reach nothing but globals.
private let signalOutput = Atomic<Int32>(-1)

/// A descriptor that becomes readable with SIGINT or SIGTERM, which the process then no longer dies of.
struct SignalDescriptor {
  let descriptor: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "pipe: \(errno)")
    descriptor = ends[0]
    signalOutput.store(ends[1], ordering: .releasing)
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        var one: UInt8 = 1
        _ = write(signalOutput.load(ordering: .acquiring), &one, 1)
      }
    }
    signal(SIGPIPE, SIG_IGN)
  }
}
