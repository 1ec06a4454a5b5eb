import Documents
import Foundation
import TestSupport
import Testing

/// Wishes of the cloud, over a real broker, down to a register of a server that is not the project's.
@Suite struct RemoteWishEndToEndTests {
  /// A mosquitto, and what it was sent for the cloud.
  private final class Cloud {
    let broker: Mosquitto
    private let folder: ScratchFolder
    private let listener: ChildProcess

    init() async throws {
      broker = try await Mosquitto(["allow_anonymous true", "persistence false"])
      folder = try ScratchFolder()
      listener = try ChildProcess(
        ["mosquitto_sub", "-p", "\(broker.port)", "-q", "1", "-t", "plant/+/+/desired/result"], in: folder)
      try await broker.publish("plant/a/b/desired/result", #"{"id":"ready"}"#)
      let listener = listener
      try await eventually("the cloud listens", seen: { listener.errors }) {
        try await broker.publish("plant/a/b/desired/result", #"{"id":"ready"}"#)
        return listener.output.contains("ready")
      }
    }

    func wish(_ message: String, of device: String = "boiler-1") async throws {
      try await broker.publish("plant/default/\(device)/desired", message)
    }

    var results: [JSONValue] {
      listener.output.split(separator: "\n").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
    }

    func answer(to id: String, from first: Int = 0) async throws -> JSONValue {
      try await eventually("an answer to \(id)", seen: { self.listener.output }) {
        self.results.dropFirst(first).first { $0["type"] == "Answer" && $0["id"]?.string == id }
      }
    }

    func transition(_ state: String, of id: String) async throws {
      try await eventually("\(id) is \(state)", seen: { self.listener.output }) {
        self.results.contains { $0["type"] == "Transition" && $0["id"]?.string == id && $0["state"]?.string == state }
      }
    }
  }

  private static func manifests(_ cloud: Cloud) -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Broker
    metadata: {name: cloud}
    spec: {url: "\(cloud.broker.url)"}
    ---
    apiVersion: selvedge.dev/v1alpha1
    kind: Gateway
    metadata: {name: gw-test}
    spec: {remoteDesired: {brokerRef: {name: cloud}, topicPrefix: plant}}
    """
  }

  private func serve(_ gateway: RunningGateway, _ boiler: BoilerServer, _ cloud: Cloud, device: String) async throws {
    try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + device)
    try await gateway.kubectl("apply", "-f", "-", input: Self.manifests(cloud))
    try await eventually("the gateway listens to the cloud", seen: { gateway.log }) {
      try await gateway.http("GET", "/apis/selvedge.dev/v1alpha1/gateways/gw-test").json()[
        path: "status", "remoteDesired", "state"] == "Listening"
    }
    try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
  }

  @Test(.timeLimit(.minutes(10)))
  func aWishReachesTheRegisterAndItsStoryTheCloud() async throws {
    let boiler = try await BoilerServer()
    let cloud = try await Cloud()
    try await withGateway { gateway in
      try await serve(gateway, boiler, cloud, device: boiler.device())
      try await cloud.wish(#"{"id":"w-1","desired":{"setpoint":61,"flow-temperature":3}}"#)
      let answer = try await cloud.answer(to: "w-1")
      #expect(answer["state"] == "Taken" && answer[path: "properties", "setpoint", "result"] == "Accepted")
      #expect(answer[path: "properties", "flow-temperature", "result"] == "Rejected")
      try await cloud.transition("Confirmed", of: "w-1")
      #expect(try await boiler.holding(40) == 610)
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 61)

      // Known by its id: what somebody wished since stays.
      try await gateway.kubectl(
        "patch", "twin", "boiler-1", "--type", "merge", "-p", #"{"spec":{"desired":{"setpoint":62}}}"#)
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 62)
      let seen = cloud.results.count
      try await cloud.wish(#"{"id":"w-1","desired":{"setpoint":61,"flow-temperature":3}}"#)
      #expect(try await cloud.answer(to: "w-1", from: seen)["repeated"] == true)
      #expect(try await boiler.holding(40) == 620)

      // What the sender did not know of is told, not overwritten; what comes too late is not taken; nonsense is named.
      let base = answer["version"]?.string ?? ""
      try await cloud.wish(#"{"id":"w-2","desired":{"setpoint":63},"baseVersion":"\#(base)"}"#)
      #expect(try await cloud.answer(to: "w-2")[path: "properties", "setpoint", "result"] == "Conflict")
      try await cloud.wish(#"{"id":"w-3","desired":{"setpoint":63},"expiresAt":"2020-01-01T00:00:00Z"}"#)
      #expect(try await cloud.answer(to: "w-3")["reason"] == "Expired")
      try await cloud.wish(#"{"id":"w-4","desird":{"setpoint":63}}"#)
      #expect(try await cloud.answer(to: "w-4")["reason"] == "InvalidMessage")
      try await cloud.wish(#"{"id":"w-5","desired":{"setpoint":63}}"#, of: "nobody")
      #expect(try await cloud.answer(to: "w-5")["reason"] == "NotFound")
      #expect(try await boiler.holding(40) == 620)

      let audit = try String(contentsOfFile: gateway.dataDirectory + "/audit/audit.log", encoding: .utf8)
      #expect(audit.contains(#""kind":"remoteWish""#) && audit.contains(#""by":"cloud""#) && audit.contains("w-1"))
      let metrics = try await gateway.http("GET", "/metrics").body
      #expect(metrics.contains(#"selvedge_remote_wishes_total{outcome="taken"} 2"#), "\(metrics)")
      #expect(metrics.contains(#"selvedge_remote_wishes_total{outcome="repeated"} 1"#))
      #expect(metrics.contains(#"selvedge_remote_wishes_total{outcome="refused"} 3"#))
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aWishThatIsSentWhileTheGatewayIsAwayIsTakenWhenItIsBack() async throws {
    let boiler = try await BoilerServer()
    let cloud = try await Cloud()
    try await withGateway { gateway in
      try await serve(gateway, boiler, cloud, device: boiler.device())
      try await gateway.crash {
        for value in 40...60 { try await cloud.wish(#"{"id":"away-\#(value)","desired":{"setpoint":\#(value)}}"#) }
      }
      try await cloud.transition("Confirmed", of: "away-60")
      #expect(try await boiler.holding(40) == 600)
      let answers = cloud.results.filter { $0["type"] == "Answer" }.compactMap { $0["id"]?.string }
      #expect(answers == (40...60).map { "away-\($0)" }, "in their order")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func whereTheSpecWinsTheCloudIsDriftAndAReadOnlyGatewayWritesNothing() async throws {
    let boiler = try await BoilerServer()
    let cloud = try await Cloud()
    try await withGateway { gateway in
      try await serve(
        gateway, boiler, cloud, device: boiler.device(desired: "{setpoint: 50}") + "\n  desiredPolicy: SpecWins")
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 50)
      try await cloud.wish(#"{"id":"d-1","desired":{"setpoint":70}}"#)
      #expect(try await cloud.answer(to: "d-1")[path: "properties", "setpoint", "result"] == "SpecWins")
      let property = try await gateway.property("setpoint", of: "twin", "boiler-1")
      #expect(property?[path: "drift", "by"] == "cloud" && property?[path: "drift", "value"] == 70)
      #expect(try await boiler.holding(40) == 500)
    }
    try await withGateway(flags: ["--read-only"]) { gateway in
      try await serve(gateway, boiler, cloud, device: boiler.device())
      try await cloud.wish(#"{"id":"r-1","desired":{"setpoint":70}}"#)
      let answer = try await cloud.answer(to: "r-1")
      #expect(answer[path: "properties", "setpoint", "state"]?.string != "Confirmed", "\(answer)")
      #expect("\(answer)".contains("ReadOnly"), "\(answer)")
      #expect(try await boiler.holding(40) == 500)
    }
  }
}
