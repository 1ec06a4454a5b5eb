import Documents
import TestSupport
import Testing

/// Devices that only a register of their own tells apart.
@Suite struct DeviceMovesTests {
  private static let model = """
    apiVersion: selvedge.dev/v1alpha1
    kind: DeviceModel
    metadata: {name: pump-controller}
    spec:
      manufacturer: Example Works
      model: PC-2
      protocol: modbus
      match: [{vendorName: Example*, productCode: PC-2}]
      identity: {serialNumber: serial}
      properties:
      - {name: serial, type: string, poll: {every: 1s}, modbus: {table: holding, address: 10, encoding: string, registers: 3}}
      - {name: speed, type: integer, poll: {every: 200ms}, modbus: {table: holding, address: 0}}
    """

  private static func pump(_ serial: String, speed: Int, host: String, port: Int = 0) async throws -> PymodbusDevice {
    let bytes = Array(serial.utf8) + [0, 0, 0, 0, 0, 0]
    let words = (0..<3).map { "\"\(10 + $0)\": \(Int(bytes[2 * $0]) << 8 | Int(bytes[2 * $0 + 1]))" }
    return try await PymodbusDevice(
      units: "{\"1\": {\"0\": \(speed), \(words.joined(separator: ", "))}}",
      identity: #"{"VendorName": "Example Works", "ProductCode": "PC-2", "MajorMinorRevision": "1.0"}"#, host: host,
      port: port)
  }

  /// What the API says of the Devices, by the port of their connection.
  private func devices(_ gateway: RunningGateway) async throws -> [Int: JSONValue] {
    let list = try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/namespaces/default/devices").json()
    return Dictionary(
      (list["items"]?.array ?? []).map { ($0[path: "spec", "connection", "modbus", "tcp", "port"]?.int ?? 0, $0) }
    ) { $1 }
  }

  @Test(.timeLimit(.minutes(10)))
  func aDeviceAtANewAddressIsTheSameDevice() async throws {
    let first = try await Self.pump("PC-01", speed: 700, host: "127.0.0.1")
    let elsewhere = Int(freePort())
    try await withGateway { gateway in
      try await gateway.kubectl(
        "apply", "-f", "-",
        input: """
          apiVersion: selvedge.dev/v1alpha1
          kind: Discovery
          metadata: {name: pumps}
          spec:
            every: 1s
            modbus:
              tcp: {targets: ["127.0.0.1:\(first.port)", "127.0.0.2:\(elsewhere)"], probesPerSecond: 1000,
                probesPerSecondPerHost: 100}
          """)
      let found = try await eventually("it is found by its address", seen: { gateway.log }) {
        try await devices(gateway)[first.port]
      }
      let (name, uid) = (try #require(found[path: "metadata", "name"]?.string), found[path: "metadata", "uid"])
      #expect(found[path: "status", "identity", "serialNumber"] == nil, "nobody has said yet where it stands")

      // The model says it; what was found before stays what it is.
      try await gateway.kubectl("apply", "-f", "-", input: Self.model)
      try await eventually("its serial number is known", seen: { gateway.log }) {
        try await gateway.object("device", name)?[path: "status", "identity", "serialNumber"] == "PC-01"
      }
      try await gateway.awaitCondition("Connected", of: "device", name, "True")

      first.stop()
      let moved = try await Self.pump("PC-01", speed: 800, host: "127.0.0.2", port: elsewhere)
      // Another one takes its old place at the same time.
      let other = try await Self.pump("PC-02", speed: 300, host: "127.0.0.1", port: first.port)
      for (device, speed, port) in [(moved, 800.0, elsewhere), (other, 300.0, first.port)] {
        try await eventually("the one at port \(port) is read", seen: { gateway.log }) {
          guard let object = try await devices(gateway)[port], let name = object[path: "metadata", "name"]?.string
          else {
            return false
          }
          return try await gateway.property("speed", of: "twin", name)?["reported"]?.number == speed
        }
        #expect(device.requests.allSatisfy { ["3", "17", "43"].contains($0.split(separator: " ")[1]) })
        #expect(device.mostConnections == 1)
      }
      let after = try await devices(gateway)
      #expect(after.count == 2)
      #expect(
        after[elsewhere]?[path: "metadata", "name"]?.string == name && after[elsewhere]?[path: "metadata", "uid"] == uid
      )
      #expect(after[first.port]?[path: "status", "identity", "serialNumber"] == "PC-02")
      #expect(after[elsewhere]?[path: "spec", "connection", "modbus", "tcp", "host"] == "127.0.0.2")
    }
  }
}
