package import DeviceKit
package import Documents

/// The `modbus:` fragment of a Device's connection, checked.
package struct ModbusConnection: Sendable, Hashable {
  package enum Medium: Sendable, Hashable {
    case tcp(TCPEndpoint, framing: LinkFraming)
    case serial(path: String, SerialSettings)
  }
  package var medium: Medium
  package var unit: UInt8
  package var timeout: Duration

  package init(medium: Medium, unit: UInt8 = 1, timeout: Duration = .seconds(1)) {
    self.medium = medium
    self.unit = unit
    self.timeout = timeout
  }

  /// Throws a permanent ``DeviceError`` `InvalidConnection` that names the field.
  package init(_ fragment: JSONValue) throws(DeviceError) {
    switch (fragment["tcp"], fragment["serial"]) {
    case (let tcp?, nil): medium = try Self.tcp(tcp)
    case (nil, let serial?): medium = try Self.serial(serial)
    case (nil, nil): throw Self.error("tcp", "or connection.modbus.serial is needed")
    case (_?, _?): throw Self.error("tcp", "and connection.modbus.serial exclude each other: give one")
    }
    unit = UInt8(try Self.whole(fragment, "unitID", 0...255, default: 1))
    timeout = try Self.duration(fragment["timeout"], "timeout", default: .seconds(1))
  }

  private static func tcp(_ tcp: JSONValue) throws(DeviceError) -> Medium {
    guard let host = tcp["host"]?.string, !host.isEmpty else {
      throw error("tcp.host", "is needed: a name or an address")
    }
    let port = try whole(tcp, "port", 1...65_535, default: 502, under: "tcp.")
    let framing = LinkFraming(rawValue: tcp["framing"]?.string ?? LinkFraming.tcp.rawValue)
    guard let framing else { throw error("tcp.framing", "must be TCP or RTU") }
    return .tcp(TCPEndpoint(host: host.lowercased(), port: port), framing: framing)
  }

  private static func serial(_ serial: JSONValue) throws(DeviceError) -> Medium {
    guard let path = serial["path"]?.string, path.hasPrefix("/") else {
      throw error("serial.path", "is needed: the port's device file, best below /dev/serial/by-id")
    }
    guard let parity = SerialSettings.Parity(rawValue: serial["parity"]?.string ?? "None") else {
      throw error("serial.parity", "must be None, Even or Odd")
    }
    guard let direction = SerialSettings.Direction(rawValue: serial["direction"]?.string ?? "Automatic") else {
      throw error("serial.direction", "must be Automatic, Driver, RTSHigh or RTSLow")
    }
    var delay: Duration?
    if let text = serial["directionDelay"] {
      delay = try duration(text, "serial.directionDelay", default: .zero)
      guard direction == .rtsHigh || direction == .rtsLow else {
        throw error("serial.directionDelay", "has a meaning with direction RTSHigh or RTSLow only")
      }
    }
    return .serial(
      path: path,
      SerialSettings(
        baudRate: try whole(serial, "baudRate", 50...4_000_000, default: 9600, under: "serial."), parity: parity,
        dataBits: try whole(serial, "dataBits", 7...8, default: 8, under: "serial."),
        stopBits: try whole(serial, "stopBits", 1...2, default: 1, under: "serial."), direction: direction,
        directionDelay: delay))
  }

  private static func whole(
    _ object: JSONValue, _ field: String, _ range: ClosedRange<Int>, default: Int, under: String = ""
  ) throws(DeviceError) -> Int {
    guard let value = object[field] else { return `default` }
    guard let number = value.int, range.contains(number) else {
      throw error(under + field, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  package static func duration(_ value: JSONValue?, _ field: String, default: Duration) throws(DeviceError) -> Duration
  {
    guard let value else { return `default` }
    guard let text = value.string, let duration = Duration(manifest: text), duration > .zero else {
      throw error(field, "must be a duration above zero such as 1s or 500ms")
    }
    return duration
  }

  private static func error(_ field: String, _ message: String) -> DeviceError {
    DeviceError(reason: "InvalidConnection", message: "connection.modbus.\(field) \(message)", isPermanent: true)
  }

  /// The fragment that says the same, defaults left out.
  package var fragment: JSONValue {
    var fragment: JSONValue = ["unitID": .integer(Int64(unit))]
    switch medium {
    case .tcp(let endpoint, let framing):
      fragment["tcp"] = ["host": .string(endpoint.host), "port": .integer(Int64(endpoint.port))]
      if framing == .rtu { fragment["tcp"]?["framing"] = .string(framing.rawValue) }
    case .serial(let path, let settings):
      fragment["serial"] = [
        "path": .string(path), "baudRate": .integer(Int64(settings.baudRate)),
        "parity": .string(settings.parity.rawValue),
        "dataBits": .integer(Int64(settings.dataBits)), "stopBits": .integer(Int64(settings.stopBits)),
      ]
      if settings.direction != .automatic {
        fragment["serial"]?["direction"] = .string(settings.direction.rawValue)
        if let delay = settings.directionDelay {
          fragment["serial"]?["directionDelay"] = .string("\(delay.nanoseconds / 1_000_000)ms")
        }
      }
    }
    return fragment
  }

  /// `plc-1:502 unit 1`
  package var description: String {
    switch medium {
    case .tcp(let endpoint, _): "\(endpoint) unit \(unit)"
    case .serial(let path, _): "\(path) unit \(unit)"
    }
  }
}
