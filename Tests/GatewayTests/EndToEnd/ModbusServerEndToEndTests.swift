import Documents
import Foundation
import TestSupport
import Testing

/// From a PLC's request, by mbpoll, through the gateway down to a register of a device that is not the project's, and back.
@Suite struct ModbusServerEndToEndTests {
  private static func gateway(_ port: UInt16, _ more: String = "") -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Gateway
    metadata: {name: gw-test}
    spec:
      servers:
      - name: scada
        modbus:
          port: \(port)
    \(more)
          quality: {table: discrete, address: 0}
          map:
          - {device: boiler-1, property: flow-temperature, table: input, address: 0, encoding: float32}
          - {device: boiler-1, property: setpoint, access: ReadWrite, register: 40001, encoding: int16, scale: 0.1}
          - {device: boiler-1, property: pump, access: ReadWrite, table: coil, address: 0}
    """
  }

  private func server(_ gateway: RunningGateway) async throws -> JSONValue? {
    try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/gateways/gw-test").json()[path: "status", "servers"]?
      .array?.first
  }

  private func expectState(_ state: String, _ reason: String, _ gateway: RunningGateway) async throws -> JSONValue {
    try await eventually("the server is \(state), \(reason)", seen: { "\(try await server(gateway) ?? .null)" }) {
      let entry = try await server(gateway)
      return entry?["state"]?.string == state && entry?["reason"]?.string == reason ? entry : nil
    }
  }

  /// `mbpoll` without repetition; what it prints and how it ends.
  private func poll(_ port: UInt16, _ words: String..., write value: String? = nil) async throws -> Finished {
    try await run(
      ["mbpoll", "-0", "-q", "-m", "tcp", "-p", "\(port)", "-a", "1"] + (value == nil ? ["-1"] : []) + words
        + ["127.0.0.1"] + (value.map { [$0] } ?? []), within: .seconds(180))
  }

  @Test(.timeLimit(.minutes(10)))
  func aWriteOfMbpollIsConfirmedAtTheDevice() async throws {
    let boiler = try await BoilerServer()
    let port = freePort()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.kubectl("apply", "-f", "-", input: Self.gateway(port))
      let serving = try await expectState("Serving", "Listening", gateway)
      #expect(serving["address"]?.string == "127.0.0.1:\(port)" && serving["ready"] == true)
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
      try await eventually("the flow temperature is served", seen: { gateway.log }) {
        try await poll(port, "-t", "3:float", "-B", "-r", "0").output.contains("42.1")
      }

      let written = try await poll(port, "-t", "4", "-r", "0", write: "615")
      #expect(written.status == 0, "\(written)")
      try await eventually("the wish is confirmed", seen: { gateway.log }) {
        let entry = try await gateway.property("setpoint", of: "twin", "boiler-1")
        return entry?["state"]?.string == "Confirmed" && entry?["reported"]?.number == 61.5
      }
      #expect(try await boiler.holding(40) == 615)
      #expect(boiler.writes == ["6 40 [615]"])
      #expect(try await poll(port, "-t", "4", "-r", "0").output.contains("615"))
      let yaml = try await gateway.kubectl("get", "twin", "boiler-1", "-o", "yaml")
      #expect(yaml.contains("local/modbus:127.0.0.1"), "\(yaml)")

      // The model's maximum is 85.
      let refused = try await poll(port, "-t", "4", "-r", "0", write: "900")
      #expect("\(refused)".contains("Illegal data value"), "\(refused)")
      // Disabled writes are the device's, and nothing is wished.
      try await gateway.kubectl(
        "patch", "device", "boiler-1", "--type", "merge", "-p", #"{"spec":{"writes":"Disabled"}}"#)
      try await eventually("writes are disabled", seen: { gateway.log }) {
        try await poll(port, "-t", "4", "-r", "0", write: "700").status != 0
      }
      #expect(try await boiler.holding(40) == 615)
      let audit = try String(contentsOfFile: gateway.dataDirectory + "/audit/audit.log", encoding: .utf8)
      #expect(audit.contains(#""kind":"clientWish""#) && audit.contains(#""outcome":"ForbiddenValue""#))

      let metrics = try await gateway.http("GET", "/metrics").body
      #expect(metrics.contains("selvedge_modbus_server_values_written_total"))
      #expect(metrics.contains(#"selvedge_modbus_server_exceptions_total{code="3"} 1"#), "\(metrics)")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aReadOnlyGatewayServesAndWritesNothing() async throws {
    let boiler = try await BoilerServer()
    let port = freePort()
    try await withGateway(flags: ["--read-only"]) { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.kubectl("apply", "-f", "-", input: Self.gateway(port))
      _ = try await expectState("Serving", "Listening", gateway)
      try await eventually("the setpoint is served", seen: { gateway.log }) {
        try await poll(port, "-t", "4", "-r", "0").output.contains("200")
      }
      let refused = try await poll(port, "-t", "4", "-r", "0", write: "615")
      #expect("\(refused)".contains("Slave device or server failure"), "\(refused)")
      let coil = try await poll(port, "-t", "0", "-r", "0", write: "1")
      #expect(coil.status != 0)
      #expect(try await gateway.object("twin", "boiler-1")?[path: "spec", "desired", "setpoint"] == nil)
      #expect(boiler.writes.isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aServerThatCannotBeIsToldWhyAndOneThatChangesIsServedAnew() async throws {
    let (port, other) = (freePort(), freePort())
    try await withGateway { gateway in
      let open = try await gateway.tryKubectl(
        "apply", "-f", "-", input: Self.gateway(port, "      address: 0.0.0.0"))
      #expect(open.status != 0 && open.errors.contains("allowFrom"), "\(open)")
      try await gateway.kubectl(
        "apply", "-f", "-",
        input: Self.gateway(port, "      heartbeat: {table: input, address: 1}"))
      let failed = try await expectState("Failed", "InvalidServer", gateway)
      #expect(
        failed["message"]?.string?.hasPrefix(
          "spec.servers[0].modbus.heartbeat: lies over spec.servers[0].modbus.map[0]")
          == true, "\(failed)")
      #expect(failed["ready"] == false && !answers(port))

      try await gateway.kubectl("apply", "-f", "-", input: Self.gateway(port))
      _ = try await expectState("Serving", "Listening", gateway)
      // No such device yet: an exception, and no value.
      let nothing = try await poll(port, "-t", "4", "-r", "0")
      #expect("\(nothing)".contains("Slave device or server failure"), "\(nothing)")
      #expect(try await poll(port, "-t", "1", "-r", "0", "-c", "3").status == 0)

      try await gateway.kubectl("apply", "-f", "-", input: Self.gateway(other))
      try await eventually("the server has moved", seen: { gateway.log }) { answers(other) && !answers(port) }
      try await gateway.kubectl("patch", "gateway", "gw-test", "--type", "merge", "-p", #"{"spec":{"servers":[]}}"#)
      try await eventually("the server is gone", seen: { gateway.log }) {
        guard !answers(other) else { return false }
        return try await server(gateway) == nil
      }
    }
  }
}
