import Documents
import TestSupport
import Testing

/// What a model says of the order of writes, and a command, through a real gateway.
@Suite struct WriteOrderTests {
  static let manifests = """
    apiVersion: selvedge.dev/v1alpha1
    kind: DeviceModel
    metadata: {name: circle}
    spec:
      protocol: modbus
      properties:
      - {name: a, type: integer, access: ReadWrite, modbus: {table: holding, address: 1}, write: {after: [b]}}
      - {name: b, type: integer, access: ReadWrite, modbus: {table: holding, address: 2}, write: {after: [a]}}
    ---
    apiVersion: selvedge.dev/v1alpha1
    kind: Device
    metadata: {name: turning, namespace: default}
    spec:
      modelRef: {name: circle}
      connection: {modbus: {tcp: {host: 127.0.0.1, port: 1}, unitID: 1}}
      desiredPolicy: SpecWins
      desired: {a: 1}
    """

  @Test(.timeLimit(.minutes(10)))
  func aCircleOfDependenciesStallsTheDeviceWithItsNames() async throws {
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: Self.manifests)
      try await gateway.awaitCondition("Stalled", of: "device", "turning", "True", reason: "DependencyCycle")
      let stalled = try await gateway.condition("Stalled", of: "device", "turning")
      #expect(stalled?["message"]?.string?.contains("a waits for b waits for a") == true)
      let status = try await gateway.object("twin", "turning")?["status"]
      #expect(status?["desiredPolicy"] == "SpecWins", "\(String(describing: status))")
      let command = try await gateway.selvedge("twin", "command", "turning", "a=1", "--timeout", "5s")
      #expect(command.status != 0 && command.errors.contains("the device is not served"), "\(command)")
    }
  }
}
