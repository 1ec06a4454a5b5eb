import DeviceKit
import Documents
import Glibc
import Logging
import MQTTClient
import MQTTProtocol
import MQTTSink
import SinkKit
import Synchronization
import Telemetry

/// An MQTT JSON message to aggregate: 100 devices of one topic and three numbers each, from libmosquitto's socket through
/// their sessions into a pipeline with a 1 s tumbling window (mean, min, max, count) whose closed windows reach the
/// spool, against a bare libmosquitto subscriber that only counts. A real mosquitto and a publisher in another process
/// serve both in turn. Nanoseconds of processor time of the subscriber's whole process a message of 107 bytes.
func measureMQTT() async throws -> [Measurement] {
  let broker = try await mqttBroker()
  var rows: [Measurement] = []
  for qos in [0, 1] {
    let load = MQTTLoad(qos: qos)
    rows.append(
      try await .best(
        of: 3, "MQTT message to aggregate, QoS \(qos)", unit: "ns CPU/message",
        ours: { try await costOfAggregating(load, at: broker) },
        floor: { try MQTTFloor(load, at: broker).costOfCounting() }))
  }
  return rows
}

/// The same from the broker and back to it at QoS 1. The floor gives every message on as it is; ours does so too, as a
/// sample of one number, or closes a window of one second over it.
func measureMQTTOut() async throws -> [Measurement] {
  let broker = try await mqttBroker()
  var rows: [Measurement] = []
  for (name, windows) in [("MQTT to MQTT, each sample", false), ("MQTT to window to MQTT", true)] {
    let load = MQTTLoad(qos: 1, names: ["temperature"], isSent: true, hasWindow: windows)
    rows.append(
      try await .best(
        of: 3, name, unit: "ns CPU/message", ours: { try await costOfAggregating(load, at: broker) },
        floor: { try MQTTFloor(load, at: broker, republishes: true).costOfCounting() }))
  }
  return rows
}

/// A broker that has a retained message on every topic.
private func mqttBroker() async throws -> BenchBroker {
  let broker = try BenchBroker()
  try broker.publisher(topics: MQTTLoad.topics, messages: MQTTLoad.topics, qos: TopicPublisher.retained).join()
  return broker
}

struct MQTTLoad {
  static let topics = 100
  var qos: Int
  var names = ["temperature", "humidity", "battery"]
  /// Whether what comes out is published again.
  var isSent = false
  var hasWindow = true
  /// What is given on stays below the number of message IDs: libmosquitto reads as many messages in a row as wait for
  /// its own acknowledgements, and may not acknowledge one before all have come.
  var messages: Int { isSent ? 60_000 : qos == 0 ? 200_000 : 100_000 }
}

/// Hands batches to the engine, counts their samples, and says when there were enough: whoever looked now and then would
/// be measured, too.
private final class EngineFeed: DeviceFeed {
  private struct Count {
    var samples = 0
    var awaited = Int.max
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let engine: TelemetryEngine
  private let count = Mutex(Count())
  init(engine: TelemetryEngine) { self.engine = engine }
  func deliver(_ batch: SampleBatch) async {
    let taken = batch.count
    await engine.ingest(batch)
    let waiter = count.withLock { count in
      count.samples += taken
      defer { if count.samples >= count.awaited { count.waiter = nil } }
      return count.samples >= count.awaited ? count.waiter : nil
    }
    waiter?.resume()
  }
  func connection(of device: DeviceKey, is state: ConnectionState) {}
  var taken: Int { count.withLock { $0.samples } }

  /// Waits until so many samples were taken, for at most 60 s.
  func wait(for samples: Int) async throws {
    let limit = Task {
      guard (try? await Task.sleep(for: .seconds(60))) != nil else { return }
      count.withLock { $0.waiter.take() }?.resume()
    }
    await withCheckedContinuation { waiter in
      let isOver = count.withLock { count in
        (count.awaited, count.waiter) = (samples, waiter)
        if count.samples >= samples { count.waiter = nil }
        return count.samples >= samples
      }
      if isOver { waiter.resume() }
    }
    limit.cancel()
    guard taken >= samples else { throw BenchError("not within 60 s: every message was taken") }
  }
}

private func costOfAggregating(_ load: MQTTLoad, at broker: BenchBroker) async throws -> Double {
  let place = try BenchPlace()
  let points = PointTable()
  let pool = BrokerPool(logger: .silent)
  defer { pool.close() }
  let engine = TelemetryEngine(
    directory: place.path("telemetry"), node: "bench", points: points, sinks: [MQTTSinkPlugin(brokers: pool)],
    describe: { point in
      let name = points.name(of: point)
      return SeriesDescription(node: "bench", device: name.device, property: name.property, model: "room")
    }, range: { _ in nil }, logger: .silent)
  // Where nothing is sent the sink stays undefined: closed windows wait for it in the spool, on disk.
  let functions: JSONValue = ["mean", "min", "max", "count"]
  let stage: JSONValue = ["aggregate": ["window": ["tumbling": "1s"], "functions": functions]]
  let stages: JSONValue = load.hasWindow ? [stage] : []
  let targets: JSONValue = [["name": "later"]]
  let sink: JSONValue = [
    "mqtt": ["brokerRef": ["name": "local"], "topic": "out/{device}/{property}", "qos": 1],
    "batch": ["maxSamples": 2_000],
  ]
  await engine.apply(
    pipelines: [PipelineDefinition(key: "default/bench", spec: ["stages": stages, "to": targets])],
    sinks: load.isSent ? [SinkDefinition(key: "default/later", spec: sink)] : [])
  let feed = EngineFeed(engine: engine)
  let sessions = try sessions(load, points, feed, MQTTPlugin(brokers: pool, clock: .system, logger: .silent))
  let samples = load.messages * load.names.count
  let cost = try await withThrowingTaskGroup(of: Void.self) { group in
    defer { group.cancelAll() }
    group.addTask { await engine.run() }
    for session in sessions { group.addTask { await session.run() } }
    pool.set("default/local", try BrokerConfiguration(url: "mqtt://127.0.0.1:\(broker.port)"))
    // Every topic has a retained message, which tells that the subscription stands.
    try await until("every topic was heard") { feed.taken >= MQTTLoad.topics * load.names.count }
    let known = feed.taken
    let before = processCPUNanoseconds()
    let publisher = try broker.publisher(topics: MQTTLoad.topics, messages: load.messages, qos: load.qos)
    try await feed.wait(for: known + samples)
    // A look takes the engine through all its series: looks must not be what is measured.
    try await until("every window was closed", every: .milliseconds(250)) {
      await engine.status().pipelines.allSatisfy { $0.openWindows == 0 }
    }
    if load.isSent {
      try await until("all was sent", every: .milliseconds(250)) {
        let status = await engine.status()
        let records = status.pipelines.reduce(0) { $0 + $1.records }
        return status.sinks.allSatisfy { $0.spool.held == 0 && $0.spool.delivered >= records }
      }
    }
    let spent = processCPUNanoseconds() - before
    try publisher.join()
    return spent / Double(load.messages)
  }
  guard let status = await engine.status().pipelines.first,
    status.records > 0, status.stages.first?.counters.input ?? 0 >= UInt64(samples)
  else { throw BenchError("the pipeline did not take every sample") }
  await engine.shutdown()
  return cost
}

private func sessions(_ load: MQTTLoad, _ points: PointTable, _ feed: EngineFeed, _ plugin: MQTTPlugin) throws
  -> [any DeviceSession]
{
  let properties = load.names.map {
    PropertyDefinition(name: $0, type: .number, binding: ["path": .string($0), "qos": .integer(Int64(load.qos))])
  }
  return try (0..<MQTTLoad.topics).map { index in
    let device = DeviceKey(namespace: "default", name: "room-\(index)")
    let request = SessionRequest(
      device: device, connection: ["brokerRef": ["name": "local"], "base": .string(TopicPublisher.topic(index))],
      properties: properties, points: properties.map { points.id(of: PointName(device: device, property: $0.name)) })
    return try plugin.session(for: request, feed: feed)
  }
}
