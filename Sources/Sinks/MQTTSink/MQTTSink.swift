internal import Documents
public import MQTTClient
public import SinkKit

/// Telemetry to an MQTT broker: one JSON message a record.
public final class MQTTSinkPlugin: SinkPlugin {
  private let brokers: BrokerPool
  public let name = "mqtt"

  public init(brokers: BrokerPool) { self.brokers = brokers }

  /// `request.name` is `namespace/name` of the Sink; its `brokerRef` is looked up in that namespace.
  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    func invalid(_ message: String) -> SinkError { SinkError(reason: "InvalidSpec", message: message) }
    let specification = request.specification
    guard let broker = specification[path: "brokerRef", "name"]?.string, !broker.isEmpty else {
      throw invalid("spec.mqtt.brokerRef.name is missing")
    }
    guard let topic = specification["topic"]?.string else { throw invalid("spec.mqtt.topic is missing") }
    let template: NameTemplate
    do throws(NameTemplate.Problem) {
      template = try NameTemplate(topic)
    } catch {
      throw invalid("spec.mqtt.topic: \(error)")
    }
    if let problem = TopicFilter.problem(ofTopic: template.sample()) {
      throw invalid("spec.mqtt.topic: '\(topic)': \(problem)")
    }
    let qos = specification["qos"]?.int ?? 1
    guard (0...2).contains(qos) else { throw invalid("spec.mqtt.qos must be 0, 1 or 2") }
    let namespace = request.name.split(separator: "/").first.map(String.init) ?? "default"
    let brokerName = request.name.contains("/") ? "\(namespace)/\(broker)" : "default/\(broker)"
    return MQTTSinkWriter(
      connection: brokers.connection(named: brokerName), template: template, qos: UInt8(qos),
      retain: specification["retain"]?.bool ?? false)
  }

  public let schema = """
    type: object
    description: Publishes each record as one JSON message.
    required: [brokerRef, topic]
    x-kubernetes-validations:
    - rule: "!self.topic.contains('+') && !self.topic.contains('#')"
      message: must be a topic without wildcards
      fieldPath: .topic
    properties:
      brokerRef:
        type: object
        description: The Broker, in the Sink's namespace.
        required: [name]
        properties:
          name: {type: string, minLength: 1, maxLength: 253}
      topic:
        type: string
        description: "Template of the topic: {namespace}, {node}, {device}, {property}, {model}, {unit}, {pipeline} and {label:KEY} are replaced; {model|none} says what stands for an empty one."
        minLength: 1
        maxLength: 1024
      qos: {type: integer, minimum: 0, maximum: 2, default: 1, description: Quality of service of the messages.}
      retain: {type: boolean, default: false, description: Whether the broker keeps the last message of each topic.}
    """
}

/// Sends the records of one Sink.
struct MQTTSinkWriter: SinkWriter {
  let connection: MQTTConnection
  let template: NameTemplate
  let qos: UInt8
  let retain: Bool

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    var publications: [MQTTPublication] = []
    publications.reserveCapacity(records.count)
    for record in records {
      publications.append(
        MQTTPublication(
          topic: template.name(of: record, escape: TopicName.level), payload: RecordPayload.bytes(of: record), qos: qos,
          retain: retain))
    }
    do throws(MQTTError) {
      try await connection.publish(publications, within: .seconds(30))
      return .delivered
    } catch {
      let cause = SinkError(reason: error.reason, message: error.message)
      return error.kind == .invalidMessage ? .refused(cause) : .retry(cause, after: nil)
    }
  }

  func close() async {}
}
