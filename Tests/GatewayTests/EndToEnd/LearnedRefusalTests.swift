import Documents
import Foundation
import TestSupport
import Testing

/// What a device refuses to have read, and the gateway's restarts.
@Suite struct LearnedRefusalTests {
  private static func model(_ more: String = "") -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: DeviceModel
    metadata: {name: holey}
    spec:
      protocol: modbus
      properties:
      - {name: a, type: integer, poll: {every: 200ms}, modbus: {table: holding, address: 0}}
      - {name: b, type: integer, poll: {every: 200ms}, modbus: {table: holding, address: 10}}
      - {name: c, type: integer, poll: {every: 200ms}, modbus: {table: holding, address: 11}}
      - {name: d, type: integer, poll: {every: 200ms}, modbus: {table: holding, address: 30}}
    \(more)
    """
  }

  @Test(.timeLimit(.minutes(10)))
  func aRestartRepeatsNoRefusedReadAndAChangedModelBeginsAnew() async throws {
    let device = try await PymodbusDevice(units: #"{"1": {"0": 1, "10": 2, "11": 3, "12": 5, "30": 4}}"#)
    try await withGateway { gateway in
      func awaitValues(_ names: [String]) async throws {
        let asked = device.requests.count
        try await eventually("all values are there", seen: { "\(device.requests)\n\(gateway.log)" }) {
          let twin = try await gateway.object("twin", "holey-1")
          let good = (twin?[path: "status", "properties"]?.array ?? []).filter { $0["quality"] == "Good" }
          return Set(good.compactMap { $0["name"]?.string }) == Set(names) && device.requests.count > asked + 12
        }
      }
      try await gateway.kubectl(
        "apply", "-f", "-",
        input: Self.model() + """

          ---
          apiVersion: selvedge.dev/v1alpha1
          kind: Device
          metadata: {name: holey-1}
          spec:
            modelRef: {name: holey}
            connection: {modbus: {tcp: {host: 127.0.0.1, port: \(device.port)}}}
          """)
      try await awaitValues(["a", "b", "c", "d"])
      let learned = device.refused
      #expect(learned == ["1 3 0 31 exception 2", "1 3 0 12 exception 2"], "each hole is met once")
      let file = gateway.dataDirectory + "/protocols/modbus-refusals.json"
      try await eventually("both are on disk") {
        (try? JSONValue(parsing: Array(String(contentsOfFile: file, encoding: .utf8).utf8)))?["devices"]?.array?.first?[
          "refusals"]?.array?.count == 2
      }

      try await gateway.restart()
      try await awaitValues(["a", "b", "c", "d"])
      #expect(device.refused == learned, "no refused read again")
      try await gateway.crash {}
      try await awaitValues(["a", "b", "c", "d"])
      #expect(device.refused == learned, "nor after a kill")

      // Another list of registers is another matter.
      try await gateway.kubectl(
        "apply", "-f", "-",
        input: Self.model(
          "  - {name: e, type: integer, poll: {every: 200ms}, modbus: {table: holding, address: 12}}"))
      try await awaitValues(["a", "b", "c", "d", "e"])
      #expect(device.refused == learned + ["1 3 0 31 exception 2", "1 3 0 13 exception 2"])
    }
  }
}
