package import DeviceKit
package import Documents

/// The `modbus:` fragment of a Discovery, checked.
package struct ScanSpecification: Sendable {
  package enum Medium: Sendable {
    case tcp(TCP)
    case serial(Serial)
  }
  package struct TCP: Sendable {
    package var targets: ScanTargets
    package var units: [UInt8]
    package var probesPerSecond: Int
    package var probesPerSecondPerHost: Int
    package var timeout: Duration
  }
  package struct Serial: Sendable {
    package var discovery: String?
    package var paths: [String]
    package var allowsActiveScan: Bool
    package var settings: [SerialSettings]
    package var units: [UInt8]
    package var timeout: Duration
  }
  package var medium: Medium

  /// Throws a permanent ``DeviceError`` that names the field.
  package init(_ fragment: JSONValue) throws(DeviceError) {
    switch (fragment["tcp"], fragment["serial"]) {
    case (let tcp?, nil):
      func texts(_ field: String) -> [String] { tcp[field]?.array?.compactMap(\.string) ?? [] }
      let ports = tcp["ports"]?.array?.compactMap(\.int) ?? [502]
      medium = .tcp(
        TCP(
          targets: try ScanTargets(targets: texts("targets"), exclude: texts("exclude"), ports: ports),
          units: try unitIDs(tcp["unitIDs"]?.array ?? [1]), probesPerSecond: tcp["probesPerSecond"]?.int ?? 10,
          probesPerSecondPerHost: tcp["probesPerSecondPerHost"]?.int ?? 10,
          timeout: try ModbusConnection.duration(tcp["timeout"], "timeout", default: .seconds(1))))
    case (nil, let serial?):
      let bauds = serial["baudRates"]?.array?.compactMap(\.int) ?? [9600]
      let parities = serial["parities"]?.array?.compactMap { $0.string.flatMap(SerialSettings.Parity.init) } ?? [.none]
      medium = .serial(
        Serial(
          discovery: serial[path: "discoveryRef", "name"]?.string,
          paths: serial["paths"]?.array?.compactMap(\.string) ?? [],
          allowsActiveScan: serial["allowActiveScan"]?.bool ?? false,
          settings: bauds.flatMap { baud in parities.map { SerialSettings(baudRate: baud, parity: $0) } },
          units: try unitIDs(serial["unitIDs"]?.array ?? [1]),
          timeout: try ModbusConnection.duration(serial["timeout"], "timeout", default: .milliseconds(300))))
    default:
      throw DeviceError(
        reason: "InvalidDiscovery", message: "modbus: exactly one of tcp and serial is needed", isPermanent: true)
    }
  }
}
