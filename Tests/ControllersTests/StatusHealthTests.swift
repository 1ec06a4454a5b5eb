import Controllers
import DeviceKit
import Documents
import Foundation
import Resources
import Testing
import YAML

/// The statuses that gateways write, as GitOps tools read them.
@Suite struct StatusHealthTests {
  struct Situation: Sendable, CustomTestStringConvertible {
    var kind: String
    var name: String
    var object: JSONValue
    var kstatus: StatusHealth.KStatus
    var argo: String
    var testDescription: String { "\(kind) \(name)" }
  }

  /// The schema's default.
  private static let unseen: JSONValue = ["observedGeneration": -1]
  private typealias Row = (String, JSONValue, StatusHealth.KStatus, String)

  private static let plan = ServingPlan(
    model: DecodedModel(["metadata": ["name": "boiler"], "spec": ["protocol": "modbus"]])!, connection: [:],
    writesEnabled: true)

  private static func object(_ status: JSONValue?, generation: Int64 = 3, isDeleted: Bool = false) -> JSONValue {
    var object: JSONValue = ["metadata": ["name": "x", "generation": .integer(generation)]]
    object["status"] = status
    if isDeleted { object["metadata"] = object["metadata"]!.merging(["deletionTimestamp": "2026-01-01T00:00:00Z"]) }
    return object
  }

  private static func device(
    _ resolution: DeviceResolution? = nil, _ connection: ConnectionState? = .connected, states: [String] = []
  ) -> JSONValue {
    let properties = states.enumerated().map { index, state in
      PropertyStatus(
        name: "p\(index)", reported: 1, quality: .good, time: nil, desired: 2, state: state, message: "",
        isSummary: false)
    }
    let patch = DeviceStatus(
      nodeName: "gw", generation: 3, resolution: resolution ?? .serve(plan), connection: connection,
      properties: properties
    ).patch(previous: unseen, now: Timestamp(seconds: 10))
    return object(unseen.merging(patch))
  }

  private static let timeout = DeviceError(reason: "Timeout", message: "no answer within 1 s")

  static let devices: [Situation] = rows(
    "Device",
    [
      ("just created", object(unseen, generation: 1), .inProgress, "Progressing"),
      ("of a node without a gateway", device(.elsewhere), .inProgress, "Progressing"),
      ("waiting for its model", device(.waiting(reason: "ModelNotFound", message: "m")), .inProgress, "Progressing"),
      ("waiting to be admitted", device(.waiting(reason: "AwaitingAdmission", message: "m")), .inProgress, "Suspended"),
      (
        "of another protocol than its model", device(.faulty(reason: "ProtocolMismatch", message: "m")), .failed,
        "Degraded"
      ),
      ("connecting for the first time", device(nil, nil), .inProgress, "Progressing"),
      ("silent", device(nil, .disconnected(timeout)), .inProgress, "Degraded"),
      ("connected", device(), .current, "Healthy"),
      ("being written to", device(states: ["Confirmed", "Writing"]), .inProgress, "Progressing"),
      ("holding its wishes", device(states: ["Confirmed"]), .current, "Healthy"),
      ("asked for the impossible", device(states: ["Rejected"]), .failed, "Degraded"),
      (
        "asked for the impossible and still writing", device(states: ["Rejected", "Pending"]), .inProgress,
        "Progressing"
      ),
      ("whose write failed", device(states: ["Failed"]), .inProgress, "Degraded"),
      ("changed since", object(device()["status"], generation: 4), .inProgress, "Progressing"),
      ("being deleted", object(device()["status"], isDeleted: true), .terminating, "Progressing"),
    ])

  private static func shared(_ readiness: Readiness) -> JSONValue {
    object(
      unseen.merging(
        readiness.status(previous: unseen, generation: 3, now: Timestamp(seconds: 10))))
  }

  static let others: [Situation] = ["Broker", "Discovery", "Pipeline", "Sink", "Gateway"].flatMap { kind in
    rows(
      kind,
      [
        ("just created", object(unseen, generation: 1), .inProgress, "Progressing"),
        ("not come to yet", shared(.pending), .inProgress, "Progressing"),
        ("with a missing reference", shared(Readiness(.false, "BrokerNotFound", "m")), .inProgress, "Progressing"),
        ("down", shared(Readiness(.false, "Disconnected", "m")), .inProgress, "Degraded"),
        ("that can never work", shared(Readiness(.false, "InvalidSpec", "m", isStalled: true)), .failed, "Degraded"),
        ("that works", shared(Readiness(.true, "Running", "m")), .current, "Healthy"),
        (
          "being deleted", object(shared(Readiness(.true, "Running", "m"))["status"], isDeleted: true), .terminating,
          "Progressing"
        ),
      ])
  }

  private static func rows(_ kind: String, _ rows: [Row]) -> [Situation] {
    rows.map { Situation(kind: kind, name: $0.0, object: $0.1, kstatus: $0.2, argo: $0.3) }
  }

  private static func model(_ spec: JSONValue) -> JSONValue {
    shared(.ofModel(["metadata": ["name": "m"], "spec": spec], protocolNames: ["modbus"], devices: 3))
  }
  private static func property(_ name: String, after: JSONValue) -> JSONValue {
    ["name": .string(name), "type": "number", "access": "ReadWrite", "write": ["after": [after]]]
  }
  private static let valid = model(["protocol": "modbus"])

  static let models: [Situation] = rows(
    "DeviceModel",
    [
      ("just created", object(unseen, generation: 1), .inProgress, "Progressing"),
      ("that can be served", valid, .current, "Healthy"),
      ("of a foreign protocol", model(["protocol": "opcua"]), .failed, "Degraded"),
      (
        "that waits for itself",
        model(["protocol": "modbus", "properties": [property("a", after: "b"), property("b", after: "a")]]), .failed,
        "Degraded"
      ),
      (
        "that waits for what it lacks", model(["protocol": "modbus", "properties": [property("a", after: "c")]]),
        .failed, "Degraded"
      ),
      ("changed since", object(valid["status"], generation: 4), .inProgress, "Progressing"),
      ("being deleted", object(valid["status"], isDeleted: true), .terminating, "Progressing"),
    ])

  @Test func aModelSaysWhyItCannotBeServedAndHowManyDevicesItServes() {
    let status = Self.model(["protocol": "opcua"])["status"]
    let ready = status?["conditions"]?.array?.first { $0["type"] == "Ready" }
    #expect(ready?["reason"] == "UnknownProtocol")
    #expect(ready?["message"] == "spec.protocol: opcua is no protocol of this gateway, which speaks modbus")
    #expect(status?["devices"] == 3)
  }

  @Test(arguments: ["brokers", "devicemodels", "devices", "discoveries", "gateways", "pipelines", "sinks"])
  func everyKindIsInProgressUntilSomebodyHasLookedAtIt(kind: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Deploy/crds/\(kind).selvedge.dev.yaml")
    let crd = try YAMLDocument.one(in: String(contentsOf: file, encoding: .utf8))
    let definition = try #require(ResourceDefinition(crd: crd))
    let created = try Schema(definition.schema).defaulting(["metadata": ["name": "x", "generation": 1], "spec": [:]])
    #expect(StatusHealth.kstatus(of: created) == .inProgress)
    #expect(Self.all.contains { $0.kind == definition.kind })
  }

  static let all = devices + others + models

  @Test(arguments: all) func kstatusConcludes(_ situation: Situation) {
    #expect(StatusHealth.kstatus(of: situation.object) == situation.kstatus)
  }

  @Test(arguments: all) func conditionsKeepTheConventions(_ situation: Situation) {
    let conditions = situation.object[path: "status", "conditions"]?.array ?? []
    if situation.object[path: "status", "observedGeneration"]?.integer == 3 {
      #expect(conditions.contains { $0["type"] == "Ready" })
    }
    for condition in conditions {
      let reason = condition["reason"]?.string ?? ""
      #expect(reason.first?.isUppercase == true && reason.allSatisfy { $0.isLetter || $0.isNumber })
      #expect(condition["observedGeneration"] == 3)
      if condition["type"] == "Reconciling" || condition["type"] == "Stalled" { #expect(condition["status"] == "True") }
    }
    #expect(conditions.count { $0["type"] == "Reconciling" || $0["type"] == "Stalled" } <= 1)
  }

  @Test func argoConcludesWithTheSnippetsThatAreDeployed() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Deploy/argocd/argocd-cm.yaml")
    let config = try YAMLDocument.one(in: String(contentsOf: file, encoding: .utf8))
    var script = ""
    for situation in Self.all {
      let key = "resource.customizations.health.selvedge.dev_\(situation.kind)"
      let snippet = try #require(config[path: "data", key]?.string)
      script += "do local obj = \(Self.lua(situation.object))\n"
      script += "local function health()\n\(snippet)end\nprint(health().status) end\n"
    }
    #expect(try Self.run(script) == Self.all.map(\.argo))
    #expect(config["data"]?.object?.count == 7)
  }

  private static func lua(_ value: JSONValue) -> String {
    switch value {
    case .null: "nil"
    case .array(let elements): "{" + elements.map(lua).joined(separator: ", ") + "}"
    case .object(let members):
      "{" + members.map { "[\(JSONValue.string($0.key))] = \(lua($0.value))" }.joined(separator: ", ") + "}"
    default: value.description
    }
  }

  /// The lines that Debian's Lua prints for a script.
  private static func run(_ script: String) throws -> [String] {
    let file = FileManager.default.temporaryDirectory.appending(path: "health-\(UUID().uuidString).lua")
    try Data(script.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["lua5.4", file.path]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return text.split(separator: "\n").map(String.init)
  }
}
