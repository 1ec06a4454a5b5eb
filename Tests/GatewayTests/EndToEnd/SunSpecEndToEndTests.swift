import Documents
import Foundation
import TestSupport
import Testing

/// SunSpec devices for which nobody wrote a model: what the gateway makes of them against what the SunSpec Alliance's own
/// library, which also laid out their registers, says that they hold.
@Suite struct SunSpecEndToEndTests {
  private static func discovery(_ device: PymodbusDevice, _ more: String = "") -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Discovery
    metadata: {name: roof}
    spec:
      every: 1s
      modbus:
        tcp: {targets: ["127.0.0.1:\(device.port)"], unitIDs: ["1-2"], probesPerSecond: 1000, probesPerSecondPerHost: 100}
    \(more)
    """
  }

  @Test(.timeLimit(.minutes(10)))
  func devicesWithoutAnyFileAreServedAsTheStandardsOwnLibraryReadsThem() async throws {
    let laidOut = try await run(["python3", "-c", Self.layout]).succeeded()
    let plant = try JSONValue(parsing: Array(laidOut.utf8))
    let device = try await PymodbusDevice(units: "\(plant["units"] ?? [:])")
    try await withGateway { gateway in
      let models = "/apis/selvedge.dev/v1alpha1/devicemodels"
      #expect(try await gateway.http("GET", models).json()["items"]?.array?.isEmpty == true, "there is no file at all")
      try await gateway.kubectl("apply", "-f", "-", input: Self.discovery(device))

      var names: [String: String] = [:]
      try await eventually("both are found", seen: { gateway.log }) {
        let found = try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/namespaces/default/devices").json()
        for one in found["items"]?.array ?? [] {
          if let serial = one[path: "status", "identity", "serialNumber"]?.string {
            names[serial] = one[path: "metadata", "name"]?.string
          }
        }
        return names.count == 2
      }
      for (serial, wanted) in plant["expected"]?.object ?? [:] {
        let name = try #require(names[serial])
        try await gateway.awaitCondition("Connected", of: "device", name, "True")
        let wanted = try #require(wanted.object)
        #expect(wanted.count > 35)
        try await eventually("every point of \(serial) is read", seen: { gateway.log }) {
          let twin = try await gateway.object("twin", name)
          return try differences(try #require(twin), wanted).isEmpty
        }
        let status = try await gateway.object("device", name)
        #expect(status?[path: "status", "modelRef", "name"]?.string?.hasPrefix("sunspec-") == true)
        #expect(status?[path: "spec", "modelRef"] == nil && status?[path: "spec", "writes"] == "Disabled")
        // The Device's own status shows the most important ones.
        let shown = Dictionary(
          (status?[path: "status", "properties"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }
        ) { $1 }
        #expect(shown["inverter-w"]?["reported"]?.number == wanted["inverter-w"]?.number)
        #expect(shown["inverter-dcw"]?["quality"] == "Bad", "not implemented: \(shown)")
      }
      // Some more looks pass beside the polling.
      let looks = device.requests.count
      try await eventually("polling goes on") { device.requests.count > looks + 3 }
    }
    #expect(device.mostConnections == 1, "a host gets one connection, for scan and sessions together")
    #expect(
      Set(device.requests.compactMap { $0.split(separator: " ").dropFirst().first }).isSubset(of: ["3", "17", "43"]))
    #expect(device.refused.allSatisfy { $0.hasSuffix("exception 2") }, "\(device.refused)")
  }

  /// `name: reported/wanted` of what is not as it is wanted.
  private func differences(_ twin: JSONValue, _ wanted: [String: JSONValue]) throws -> [String] {
    let found = Dictionary(
      (twin[path: "status", "properties"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }
    ) { $1 }
    var differences = found.keys.filter { wanted[$0] == nil }
    for (name, value) in wanted {
      let entry = found[name]
      let isAlike =
        switch value {
        case .null: entry?["quality"] == "Bad" && entry?["cause"]?.string?.isEmpty == false
        case .integer, .double:
          entry?["quality"] == "Good"
            && abs((entry?["reported"]?.number ?? .nan) - (value.number ?? 0)) <= 1e-9 * abs(value.number ?? 0)
        default: entry?["quality"] == "Good" && entry?["reported"] == value
        }
      if !isAlike { differences.append("\(name): \(entry ?? .null), wanted \(value)") }
    }
    return differences
  }

  /// Two devices by pysunspec2: registers by unit, and by serial number what its points are, null where they are not
  /// implemented.
  private static let layout = #"""
    import json
    from sunspec2 import device
    words = {1: "common", 103: "inverter", 113: "inverter", 160: "mppt", 802: "battery", 124: "storage"}

    def common(maker, model, serial):
        return {"ID": 1, "L": 66, "Mn": maker, "Md": model, "Opt": "none", "Vr": "1.4", "SN": serial, "DA": 1}
    chains = {1: [
        common("Sunny Works", "SW-10K", "S-0815"),
        {"ID": 103, "L": 50, "A": 1234, "AphA": 411, "AphB": 412, "AphC": 411, "A_SF": -2, "PhVphA": 2304, "PhVphB": 2311,
         "PhVphC": 2299, "V_SF": -1, "W": -851, "W_SF": 1, "Hz": 49987, "Hz_SF": -3, "VA": 902, "VA_SF": 1, "PF": -943,
         "PF_SF": -1, "WH": 4294967290, "WH_SF": 0, "TmpCab": -55, "Tmp_SF": -1, "St": 4, "StVnd": 77, "Evt1": 130,
         "Evt2": 0, "EvtVnd1": 5},
        {"ID": 124, "L": 24, "WChaMax": 5000, "WChaMax_SF": 0, "WChaGra": 100, "WDisChaGra": 80, "WChaDisChaGra_SF": 0,
         "StorCtl_Mod": 3, "ChaState": 875, "ChaState_SF": -1, "ChaSt": 4, "InWRte": -2500, "InOutWRte_SF": -2},
        {"ID": 160, "L": 68, "DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 1, "DCWH_SF": 2, "Evt": 3, "N": 3, "TmsPer": 10,
         "module": [
            {"ID": 1, "IDStr": "roof", "DCA": 812, "DCV": 6123, "DCW": 497, "DCWH": 123456, "Tms": 9, "Tmp": -7, "DCSt": 4},
            {"ID": 2, "IDStr": "wall", "DCV": 5001, "DCWH": 1, "DCSt": 8, "DCEvt": 1},
            {"ID": 3, "IDStr": "barn", "DCA": 0, "DCV": 0, "DCW": 0, "DCSt": 2}]},
    ], 2: [
        common("Sunny Works", "SW-10F", "F-4711"),
        {"ID": 113, "L": 60, "A": 12.5, "AphA": 4.25, "PhVphA": 230.125, "W": 2875.5, "Hz": 50.0, "WH": 1234567.0,
         "TmpCab": -3.5, "St": 5, "Evt1": 0, "Evt2": 0},
    ]}

    def walk(group, data, prefix, expected):
        for p in group["points"]:
            if p["name"] in ("ID", "L") and "-" not in prefix or p["type"] in ("sunssf", "pad"):
                continue
            value, names = data.get(p["name"]), {s["value"]: s["name"].lower().replace("_", "-") for s in p.get("symbols", [])}
            if p["type"].startswith("acc") and value == 0:
                value = None
            elif value is not None and names:
                value = [names[b] for b in range(32) if value >> b & 1] if p["type"].startswith("bit") else names[value]
            expected[f"{prefix}-{p['name'].lower().replace('_', '-')}"] = value
        for inner in group.get("groups", []):
            for number, member in enumerate(data[inner["name"]], 1):
                walk(inner, member, f"{prefix}-{inner['name']}-{number}", expected)
    units, expected = {}, {}
    for unit, chain in chains.items():
        image, points = b"SunS", {}
        for body in chain:
            model = device.Model(body["ID"], data=body)
            registers = model.get_mb()
            assert len(registers) == 4 + 2 * body["L"], (body["ID"], len(registers))
            image += registers
            walk(device.get_model_def(body["ID"])["group"], model.get_dict(computed=True), words[body["ID"]], points)
        image += bytes([255, 255, 0, 0])
        base = 40000 if unit == 1 else 0
        units[unit] = {base + i: image[2 * i] << 8 | image[2 * i + 1] for i in range(len(image) // 2)}
        expected[chain[0]["SN"]] = points
    print(json.dumps({"units": units, "expected": expected}))
    """#
}
