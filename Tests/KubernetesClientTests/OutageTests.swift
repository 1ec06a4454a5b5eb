import Documents
import Foundation
import KubernetesClient
import ResourceStore
import Resources
import TestSupport
import Testing

/// The real gateway while its cluster's API server is away, and when it comes back.
@Suite struct OutageTests {
  private let twin = "/apis/twin.selvedge.dev/v1alpha1/namespaces/plant/twins/boiler-1"

  @Test(.timeLimit(.minutes(4)))
  func wishesOfBothSidesAreLaidTogetherAndNothingIsWrittenTwice() async throws {
    let boiler = try await BoilerServer()
    // The node's own: a device of nobody is served by whoever holds a Lease, which takes an API server.
    let device = boiler.device(desired: "{setpoint: 60}") + "\n  nodeName: gw-1"
    try await PlantCluster.with { plant in
      try await plant.apply("\(BoilerServer.model)\n---\n\(device)")
      let first = try await ClusterGateway(plant.cluster)
      try await eventually("60 is confirmed", seen: { first.process.errors }) { try await plant.told(60) > 0 }
      try await first.stop()
      #expect(boiler.writes.count == 1)

      // A start without an API server, and a wish of somebody on the node.
      await plant.cluster.stop()
      let second = try await ClusterGateway(plant.cluster)
      try await eventually("it is ready", seen: { second.process.errors }) { try await second.isReady() }
      try await eventually("the twin is there") { try await second.request("GET", twin) != nil }
      #expect(
        try await second.request("GET", "/apis/selvedge.dev/v1alpha1/namespaces/plant/devices/boiler-1") != nil,
        "what is known of the cluster is shown")
      _ = try await second.request("PATCH", twin, #"{"spec": {"desired": {"pump": true}}}"#)
      try await eventually("the pump is on", seen: { second.process.errors }) { boiler.writes.count == 2 }

      // Meanwhile somebody changes another wish in the cluster.
      try await plant.desire("boiler-1", ["setpoint": 45])
      try await plant.cluster.start()
      try await eventually("45 reaches the device", seen: { second.process.errors }) {
        try await boiler.holding(40) == 450
      }
      try await eventually(
        "the status is caught up", seen: { "\(try await plant.object("devices", "boiler-1") ?? [:])" }
      ) {
        let status = try await plant.object("devices", "boiler-1")?["status"]
        let properties = status?["properties"]?.array ?? []
        func state(_ name: String) -> JSONValue? { properties.first { $0["name"]?.string == name }?["state"] }
        return state("setpoint") == "Confirmed" && state("pump") == "Confirmed"
      }
      #expect(boiler.writes.count == 3, "nothing that was held was written again: \(boiler.writes)")
      try await second.stop()
    }
  }

  @Test(.timeLimit(.minutes(4)))
  func whatWasDeletedMeanwhileIsServedNoLonger() async throws {
    let boiler = try await BoilerServer()
    try await PlantCluster.with { plant in
      try await plant.apply("\(BoilerServer.model)\n---\n\(boiler.device(desired: "{setpoint: 60}"))")
      let gateway = try await ClusterGateway(plant.cluster)
      try await eventually("60 is confirmed", seen: { gateway.process.errors }) { try await plant.told(60) > 0 }
      await plant.cluster.stop()
      _ = try await plant.cluster.store.delete(
        PlantCluster.devices, ObjectKey(namespace: PlantCluster.namespace, name: "boiler-1"), DeleteOptions())
      try await plant.cluster.start()
      try await eventually("no device is served", seen: { gateway.process.errors }) {
        let metrics = try await run(["curl", "-s", "http://127.0.0.1:\(gateway.port)/metrics"]).output
        return metrics.contains(/selvedge_devices\{[^}]*state="connected"[^}]*\} 0\n/)
      }
      try await gateway.stop()
    }
  }
}
