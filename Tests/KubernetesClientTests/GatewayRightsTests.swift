import Documents
import Foundation
import KubernetesClient
import ResourceStore
import Resources
import Synchronization
import TestSupport
import Testing

/// The real gateway in a cluster that gives it the rights of Deploy/kustomize and no more: it needs all of them, and
/// nothing else; and at rest it asks for nothing.
@Suite struct GatewayRightsTests {
  private struct Right: Hashable, CustomStringConvertible {
    var verb: String
    var resource: String
    var description: String { "\(verb) \(resource)" }
  }

  private static func granted() throws -> Set<Right> {
    var rights: Set<Right> = []
    for rule in try PlantCluster.roles().flatMap({ $0["rules"]?.array ?? [] }) {
      for resource in rule["resources"]?.array ?? [] {
        for verb in rule["verbs"]?.array ?? [] {
          rights.insert(Right(verb: verb.string ?? "", resource: resource.string ?? ""))
        }
      }
    }
    return rights
  }

  @Test(.timeLimit(.minutes(6)))
  func everyRightIsNeededAndNoOther() async throws {
    let boiler = try await BoilerServer()
    var found: BoilerServer? = try await BoilerServer()
    let foundPort = try #require(found?.port)
    try await PlantCluster.with { plant in
      let cluster = plant.cluster
      try await plant.apply(
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: plant-broker}
        stringData: {username: u, password: p}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Broker
        metadata: {name: local}
        spec: {url: "mqtt://127.0.0.1:\(freePort())", credentialsSecretRef: {name: plant-broker}}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Sink
        metadata: {name: out}
        spec: {stdout: {}}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Pipeline
        metadata: {name: all}
        spec: {from: {selector: {matchLabels: {line: none}}}, to: [{name: out}]}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Discovery
        metadata: {name: net}
        spec:
          every: 1s
          gracePeriod: 1s
          modbus: {tcp: {targets: ["127.0.0.1:\(foundPort)"], unitIDs: [1], timeout: 500ms}}
        ---
        \(BoilerServer.model)
        ---
        \(boiler.device(desired: "{setpoint: 60}"))
        """)
      // As servers before 1.32: lists are lists.
      cluster.faults.knowsWatchLists.withLock { $0 = false }
      let first = try await ClusterGateway(cluster)
      for (plural, name) in [
        ("gateways", "gw-1"), ("brokers", "local"), ("sinks", "out"), ("pipelines", "all"), ("discoveries", "net"),
        ("devicemodels", "boiler-controller"), ("devices", "boiler-1"),
      ] {
        try await eventually("\(plural) \(name) has its status", seen: { first.process.errors }) {
          try await plant.object(plural, name)?[path: "status", "conditions"] != nil
        }
      }
      func count() async throws -> Int {
        try await cluster.store.list(PlantCluster.devices, ListOptions()).items.count
      }
      try await eventually("a device is found", seen: { first.process.errors }) { try await count() == 2 }
      found = nil
      try await eventually("and lost", seen: { first.process.errors }) { try await count() == 1 }
      // The same event again is one with a higher count.
      try await eventually("the first wish is confirmed") { try await plant.told(60) > 0 }
      for setpoint: Int64 in [50, 60] { try await plant.confirm(setpoint) }
      try await first.stop()

      cluster.faults.knowsWatchLists.withLock { $0 = true }
      let second = try await ClusterGateway(cluster)
      try await plant.confirm(41)
      try await rests(cluster)
      try await second.stop()

      let log = cluster.log.all
      #expect(log.filter { $0.code == 403 || $0.code == 401 } == [], "used, and not granted")
      let used = Set(log.map { Right(verb: $0.verb, resource: $0.resource) })
      // A DeviceModel is made where a device of a standard is found that no model fits; this plant has none.
      let models: Set = [
        Right(verb: "create", resource: "devicemodels"), Right(verb: "patch", resource: "devicemodels"),
      ]
      let idle = try Self.granted().subtracting(used).subtracting(models)
      #expect(idle == [], "granted, and never used")
      #expect(!log.contains { $0.resource == "secrets" && $0.verb != "get" })
    }
  }

  /// Nothing is asked for in 15 s, in which the Discovery looks as many times and finds what is known; but that the
  /// gateway renews its Lease.
  private func rests(_ cluster: TestCluster) async throws {
    var quiet = ContinuousClock.now
    func requests() -> Int { cluster.log.all.count { $0.resource != "leases" } }
    var count = requests()
    try await eventually("the gateway rests", within: .seconds(120), seen: { "\(cluster.log.all.suffix(20))" }) {
      if requests() != count {
        count = requests()
        quiet = .now
      }
      return ContinuousClock.now - quiet > .seconds(15)
    }
  }
}
