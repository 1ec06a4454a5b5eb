import Documents
import TestSupport
import Testing

/// What a reference names may come later.
@Suite struct ReferenceOrderTests {
  @Test(.timeLimit(.minutes(10)))
  func aDeviceWaitsForItsModel() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: boiler.device(desired: "{setpoint: 60}"))
      try await gateway.awaitCondition("Ready", of: "device", "boiler-1", "False", reason: "ModelNotFound")
      let ready = try await gateway.condition("Ready", of: "device", "boiler-1")
      #expect(ready?["message"]?.string?.contains("boiler-controller") == true)
      #expect(boiler.writes.isEmpty)

      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model)
      try await gateway.awaitCondition("Ready", of: "device", "boiler-1", "True")
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 60)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func anMQTTDeviceWaitsForItsModelThenForItsBrokerThenForItsServer() async throws {
    let room = """
      apiVersion: selvedge.dev/v1alpha1
      kind: Device
      metadata: {name: room-1}
      spec:
        modelRef: {name: room-sensor}
        connection: {mqtt: {brokerRef: {name: local}, base: sensors/room-1}}
      """
    let model = """
      apiVersion: selvedge.dev/v1alpha1
      kind: DeviceModel
      metadata: {name: room-sensor}
      spec:
        protocol: mqtt
        properties:
        - {name: temperature, type: number, unit: degC, access: Read, mqtt: {topic: "{base}", path: temperature}}
      """
    let port = freePort()
    let broker = """
      apiVersion: selvedge.dev/v1alpha1
      kind: Broker
      metadata: {name: local}
      spec: {url: "mqtt://127.0.0.1:\(port)"}
      """
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: room)
      try await gateway.awaitCondition("Ready", of: "device", "room-1", "False", reason: "ModelNotFound")
      try await gateway.kubectl("apply", "-f", "-", input: model)
      try await gateway.awaitCondition("Ready", of: "device", "room-1", "False", reason: "BrokerNotFound")
      try await gateway.kubectl("apply", "-f", "-", input: broker)
      try await gateway.awaitCondition("Connected", of: "broker", "local", "False", reason: "Disconnected")
      try await gateway.awaitCondition("Ready", of: "device", "room-1", "False", reason: "BrokerUnreachable")

      let folder = try ScratchFolder()
      let settings = try folder.write("listener \(port) 127.0.0.1\nallow_anonymous true\n", to: "mosquitto.conf")
      let mosquitto = try ChildProcess(["mosquitto", "-c", settings], in: folder)
      try await gateway.awaitCondition("Connected", of: "broker", "local", "True")
      // Published again until it is heard: the subscription comes with the connection.
      try await eventually("the room is heard", seen: { gateway.log + mosquitto.errors }) {
        _ = try await run([
          "mosquitto_pub", "-h", "127.0.0.1", "-p", "\(port)", "-t", "sensors/room-1", "-m", #"{"temperature":21.5}"#,
        ])
        return try await gateway.property("temperature", of: "twin", "room-1")?["reported"]?.number == 21.5
      }
      try await gateway.awaitCondition("Ready", of: "device", "room-1", "True")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aPipelineWaitsForItsSink() async throws {
    let pipeline = """
      apiVersion: selvedge.dev/v1alpha1
      kind: Pipeline
      metadata: {name: line-a}
      spec:
        from: {selector: {matchLabels: {line: a}}, properties: ["*temperature"]}
        to: [{name: disk}]
      """
    let sink = """
      apiVersion: selvedge.dev/v1alpha1
      kind: Sink
      metadata: {name: disk}
      spec: {file: {path: out.ndjson, format: ndjson}}
      """
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: pipeline)
      try await gateway.awaitCondition("Ready", of: "pipeline", "line-a", "False", reason: "SinkNotFound")
      try await gateway.kubectl("apply", "-f", "-", input: sink)
      try await gateway.awaitCondition("Ready", of: "pipeline", "line-a", "True")
    }
  }
}
