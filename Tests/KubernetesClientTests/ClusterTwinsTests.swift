import Documents
import Foundation
import Glibc
import ResourceStore
import Resources
import Synchronization
import TestSupport
import Testing

/// Real gateways in a cluster, the server of their twins before them, and kubectl that asks the cluster's API server.
@Suite(.serialized) struct ClusterTwinsTests {
  private static let path = "/apis/twin.selvedge.dev/v1alpha1/namespaces/plant/twins"

  private struct Place {
    let twins: ClusterTwins
    let boilers: [BoilerServer]
    var gateways: [ClusterGateway]
    let ports: [UInt16]
    var server: ChildProcess

    var log: String { server.errors.suffix(4_000) + "\n" + gateways.map { $0.process.errors.suffix(2_000) }.joined() }
  }

  /// Two gateways with a boiler each.
  private static func with(_ body: (inout Place) async throws -> Void) async throws {
    let boilers = [try await BoilerServer(), try await BoilerServer()]
    try await PlantCluster.with { plant in
      try await plant.apply(BoilerServer.model)
      for (index, boiler) in boilers.enumerated() {
        let device = boiler.device("boiler-\(index + 1)").replacing(
          "spec:\n", with: "spec:\n  nodeName: gw-\(index + 1)\n", maxReplacements: 1)
        try await plant.apply(device)
      }
      let twins = try await ClusterTwins(plant)
      let ports = [freePort(), freePort()]
      var gateways: [ClusterGateway] = []
      for (index, port) in ports.enumerated() {
        gateways.append(try await twins.gateway("gw-\(index + 1)", port: port))
      }
      var place = Place(
        twins: twins, boilers: boilers, gateways: gateways, ports: ports, server: try await twins.serve())
      for name in ["boiler-1", "boiler-2"] {
        try await eventually("the cluster knows \(name)", seen: { [place] in place.log }) {
          try await twins.kubectl("get", "twin", name, "-o", "jsonpath={.status.connected}").output == "true"
        }
      }
      try await body(&place)
    }
  }

  @Test(.timeLimit(.minutes(6))) func `kubectl reads, watches and changes the twins of all gateways`() async throws {
    try await Self.with { place in
      let twins = place.twins
      let table = try await twins.kubectl("get", "twins", "-A").succeeded()
      let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      #expect(rows[0].suffix(3) == ["GATEWAY", "STALE", "AGE"], "\(table)")
      #expect(rows.dropFirst().map { $0[1] } == ["boiler-1", "boiler-2"], "\(table)")
      #expect(rows[1].contains("gw-1") && rows[2].contains("gw-2"), "\(table)")
      let old = try await run(["/bin/sh", packageRoot + "/scripts/setup-kubectl-1.20.sh"]).succeeded()
      let oldTable = try await twins.kubectl(
        "get", "twins", program: old.trimmingCharacters(in: .whitespacesAndNewlines)
      ).succeeded()
      #expect(oldTable.contains("boiler-1") && oldTable.contains("gw-2"), "\(oldTable)")
      #expect(try await twins.kubectl("explain", "twins.status.gateway").succeeded().contains("The gateway that"))
      let described = try await twins.kubectl("describe", "twin", "boiler-1").succeeded()
      #expect(described.contains("Gateway:") && described.contains("flow-temperature"), "\(described)")
      #expect(
        try await twins.kubectl("get", "twin", "boiler-1", "-o", "yaml").succeeded().contains("reported: 42.1"))

      let watch = try twins.startKubectl("get", "twins", "-w", "-o", "json", "--output-watch-events")
      try await eventually("the watch has begun", seen: { watch.errors }) { watch.output.contains("boiler-2") }
      let patched = try await twins.kubectl(
        "patch", "twin", "boiler-1", "--type=merge", "-p", #"{"spec":{"desired":{"setpoint":61.5}}}"#)
      try patched.succeeded()
      try await eventually("the wish is confirmed", seen: { place.log }) {
        try await twins.property("setpoint", of: "boiler-1")["state"] == "Confirmed"
      }
      #expect(try await twins.property("setpoint", of: "boiler-1")["desiredBy"] == "local/anna")
      #expect(try await place.boilers[0].holding(40) == 615)
      try await eventually("the watch tells it", seen: { watch.output }) {
        watch.output.split(separator: "\n").contains {
          $0.contains("\"MODIFIED\"") && $0.contains("\"state\":\"Confirmed\"")
        }
      }
      watch.end(SIGTERM)
      let refused = try await twins.kubectl(
        "patch", "twin", "boiler-1", "--type=merge", "-p", #"{"spec":{"desired":{"setpoint":99}}}"#)
      #expect(refused.status == 1 && refused.errors.contains("spec.desired.setpoint"), "\(refused)")

      try await commands(place)
      try await conflicts(place)
      // The gateway's audit log has the person, not the server in between.
      let audit = try String(contentsOfFile: twins.plant.cluster.folder("data/audit/audit.log"), encoding: .utf8)
      let entries = audit.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
      let entry = try #require(entries.first { $0["verb"] == "patch" && $0["resource"] == "twins" })
      #expect(entry["user"] == "anna" && entry["code"] == 200, "\(entry)")
      #expect(entry["groups"] == ["operators", "hall, west", "system:authenticated"], "\(entry)")

      try await strangers(place)
      try await rights(place)
    }
  }

  private func commands(_ place: Place) async throws {
    let twins = place.twins
    let command = #"{"kind":"TwinCommand","property":"pump","value":true,"idempotencyKey":"shift-7","verify":true}"#
    for _ in 0..<2 {
      let answer = try JSONValue(
        parsing: try await twins.kubectl(
          "create", "--raw", "\(Self.path)/boiler-1/commands", "-f", "-", input: command
        ).succeeded())
      #expect(answer["state"] == "Succeeded" && answer["reported"] == true, "\(answer)")
    }
    #expect(place.boilers[0].writes.count { $0.hasPrefix("5 3") } == 1, "once: \(place.boilers[0].writes)")
    let delta = try JSONValue(
      parsing: try await twins.kubectl("get", "--raw", "\(Self.path)/boiler-1/delta").succeeded())
    #expect(delta["kind"] == "TwinDelta" && delta["properties"] == [], "\(delta)")
    let history = try JSONValue(
      parsing: try await twins.kubectl("get", "--raw", "\(Self.path)/boiler-1/history?property=setpoint").succeeded())
    #expect(history["kind"] == "TwinHistory", "\(history)")
  }

  /// What is conditional on a version is so on the cluster's version of the twin.
  private func conflicts(_ place: Place) async throws {
    let twins = place.twins
    let before = try await twins.twin("boiler-1")
    let version = before.metadata.resourceVersion
    func patch(_ version: String, _ setpoint: Int) async throws -> Finished {
      try await twins.kubectl(
        "patch", "twin", "boiler-1", "--type=merge", "-p",
        #"{"metadata":{"resourceVersion":"\#(version)"},"spec":{"desired":{"setpoint":\#(setpoint)}}}"#)
    }
    try await eventually("the patch finds the version that was read") {
      try await patch(try await twins.twin("boiler-1").metadata.resourceVersion, 50).status == 0
    }
    let stale = try await patch(version, 40)
    #expect(stale.status == 1 && stale.errors.contains("the object has been modified"), "\(stale)")
    let rehearsed = try await twins.kubectl(
      "patch", "twin", "boiler-1", "--type=merge", "--dry-run=server", "-o", "jsonpath={.spec.desired.setpoint}", "-p",
      #"{"spec":{"desired":{"setpoint":33}}}"#
    ).succeeded()
    #expect(rehearsed == "33")
    #expect(try await twins.property("setpoint", of: "boiler-1")["desired"] == 50)
    let deleted = try await twins.kubectl("delete", "twin", "boiler-1")
    #expect(deleted.status == 1, "\(deleted)")
  }

  /// Nobody but the API server is believed, and nobody but the server of the twins by a gateway.
  private func strangers(_ place: Place) async throws {
    let twins = place.twins
    let forged = ["X-Remote-User: anna", "X-Remote-Group: system:masters"]
    let server = "selvedge-twins.selvedge.svc"
    let list = "/apis/twin.selvedge.dev/v1alpha1/twins"
    #expect(try await twins.code(list, port: twins.port, name: server, fields: forged) == 401)
    let proxy = twins.client("proxy")
    #expect(try await twins.code(list, port: twins.port, name: server, certificate: proxy, fields: forged) == 200)
    #expect(try await twins.code(list, port: twins.port, name: server, certificate: proxy) == 401, "names nobody")
    let other = twins.client("other")
    #expect(
      try await twins.code(list, port: twins.port, name: server, certificate: other, fields: forged) == 401,
      "a name that is not allowed")
    let own = twins.files("selvedge-twins-tls")
    #expect(
      try await twins.code(list, port: twins.port, name: server, certificate: own, fields: forged) == 0,
      "another authority: no handshake")

    let port = place.ports[0]
    let gateway = "selvedge-gateway"
    #expect(try await twins.code(list, port: port, name: gateway, fields: forged) == 401)
    let neighbour = twins.files("selvedge-gateway-tls")
    #expect(
      try await twins.code(list, port: port, name: gateway, certificate: neighbour, fields: forged) == 0,
      "a gateway's certificate is no client's: no handshake")
    #expect(try await twins.code(list, port: port, name: gateway, certificate: own, fields: forged) == 200)
    #expect(
      try await twins.code("/metrics", port: port, name: gateway, certificate: own, fields: forged) == 404,
      "the twins and nothing else")
    #expect(
      try await twins.code(
        "/apis/selvedge.dev/v1alpha1/devices", port: port, name: gateway, certificate: own,
        fields: ["X-Remote-User: anna"]) == 403)
  }

  /// The roles of Deploy/kustomize/parts/twins-server are all that the server needs, and it needs all of them.
  private func rights(_ place: Place) async throws {
    let log = place.twins.plant.cluster.log.all.filter { $0.token == TestCluster.twinsToken }
    #expect(log.filter { $0.code == 403 || $0.code == 401 } == [], "used, and not granted")
    let used = Set(log.map { "\($0.verb) \($0.resource)" })
    let rules = try PlantCluster.twinsRoles().filter { $0.metadata.name == "selvedge-twins" }
      .flatMap { $0["rules"]?.array ?? [] }
    let granted = Set(
      rules.flatMap { rule in
        (rule["verbs"]?.array ?? []).flatMap { verb in
          (rule["resources"]?.array ?? []).map { "\(verb.string ?? "") \($0.string ?? "")" }
        }
      })
    // Kubernetes' own role for such servers grants the ConfigMap. A server that knows of lists as watches is not asked
    // for lists; as before 1.32 it is.
    #expect(used == ["watch gateways", "get configmaps"], "\(used)")
    #expect(granted == ["list gateways", "watch gateways"], "\(granted)")
  }

  @Test(.timeLimit(.minutes(6))) func `A gateway that is away keeps its twins in sight, and comes back`() async throws {
    try await Self.with { place in
      let twins = place.twins
      let plant = twins.plant
      place.gateways[1].process.end(SIGKILL)
      try await eventually("the twin is marked", seen: { [place] in place.log }) {
        try await twins.twin("boiler-2")[path: "status", "staleSince"] != nil
      }
      let list = try await twins.kubectl("get", "twins")
      try list.succeeded()
      #expect(list.output.contains("boiler-2"), "\(list)")
      #expect(list.errors.contains("Warning: ") && list.errors.contains("gw-2 (1, since "), "\(list)")
      let one = try await twins.kubectl("get", "twin", "boiler-1")
      #expect(one.errors.isEmpty, "nothing is said of one that is well: \(one)")
      #expect(try await twins.property("flow-temperature", of: "boiler-2")["reported"] == 42.1)
      func wish(_ name: String, _ value: Int) async throws -> Finished {
        try await twins.kubectl(
          "patch", "twin", name, "--type=merge", "-p", #"{"spec":{"desired":{"setpoint":\#(value)}}}"#)
      }
      let refused = try await wish("boiler-2", 44)
      #expect(refused.status == 1 && refused.errors.contains("gateway \"gw-2\""), "\(refused)")
      let code = try await twins.code(
        "\(Self.path)/boiler-2/delta", port: twins.port, name: "selvedge-twins.selvedge.svc",
        certificate: twins.client("proxy"), fields: ["X-Remote-User: anna"])
      #expect(code == 503)
      try await wish("boiler-1", 44).succeeded()
      let metrics = try await twins.metrics()
      #expect(metrics.contains("selvedge_twins_gateways{state=\"away\"} 1\n"), "\(metrics)")
      #expect(metrics.contains("selvedge_twins_stale 1\n"), "\(metrics)")

      place.gateways[1] = try await twins.gateway("gw-2", port: place.ports[1])
      try await eventually("the mark is gone", seen: { [place] in place.log }) {
        let status = try await twins.twin("boiler-2")["status"] ?? [:]
        return status["staleSince"] == nil && status["connected"] == true
      }
      try await eventually("and it takes wishes again", seen: { [place] in place.log }) {
        try await wish("boiler-2", 45).status == 0
      }
      try await eventually("which reach the device") { try await place.boilers[1].holding(40) == 450 }

      // A server that begins anew numbers anew: who watched the one before is told to list.
      let first = try JSONValue(
        parsing: try await twins.kubectl("get", "--raw", Self.path).succeeded()
      ).metadata.resourceVersion
      place.server.send(SIGTERM)
      #expect(try await place.server.result(within: .seconds(30)).status == 0)
      let away = try await twins.kubectl("get", "twins")
      #expect(away.status == 1)
      // As API servers before 1.32.
      plant.cluster.faults.knowsWatchLists.withLock { $0 = false }
      place.server = try await twins.serve()
      let second = try JSONValue(
        parsing: try await twins.kubectl("get", "--raw", Self.path).succeeded()
      ).metadata.resourceVersion
      #expect(try #require(UInt64(second)) > #require(UInt64(first)))
      let resumed = try await twins.kubectl(
        "get", "--raw", "\(Self.path)?watch=1&timeoutSeconds=5&resourceVersion=\(first)"
      ).succeeded()
      #expect(resumed.contains("\"ERROR\"") && resumed.contains("\"code\":410"), "\(resumed)")
      #expect(
        plant.cluster.log.all.contains {
          $0.token == TestCluster.twinsToken && $0.verb == "list" && $0.resource == "gateways" && $0.code == 200
        })

      // A gateway that is no more takes its twins with it.
      place.gateways[1].process.end(SIGKILL)
      _ = try await plant.cluster.store.delete(
        ResourceName(group: "selvedge.dev", plural: "gateways"), ObjectKey(name: "gw-2"), DeleteOptions())
      try await eventually("its twins are gone", seen: { [place] in place.log }) {
        try await twins.kubectl("get", "twins", "-o", "name").succeeded() == "twin.twin.selvedge.dev/boiler-1\n"
      }
    }
  }
}
