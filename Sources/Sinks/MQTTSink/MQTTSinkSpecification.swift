internal import Documents
internal import MQTTClient
internal import SinkKit

/// The fragment `mqtt` of a Sink's spec, checked.
struct MQTTSinkSpecification: Sendable {
  enum Content: Sendable {
    case json(RecordMessages)
    case sparkplug(SparkplugSpecification)
  }

  var broker: String
  var content: Content

  init(_ json: JSONValue) throws(SinkError) {
    guard let broker = json[path: "brokerRef", "name"]?.string, !broker.isEmpty else {
      throw Self.error("brokerRef.name", "is missing")
    }
    self.broker = broker
    switch json["format"]?.string ?? "json" {
    case "json": content = .json(try Self.messages(json))
    case "sparkplugB":
      guard let fragment = json["sparkplug"], !fragment.isNull else {
        throw Self.error("sparkplug", "is missing: the format sparkplugB needs at least its group")
      }
      content = .sparkplug(try SparkplugSpecification(fragment))
    case let other: throw Self.error("format", "must be json or sparkplugB, is '\(other)'")
    }
  }

  private static func messages(_ json: JSONValue) throws(SinkError) -> RecordMessages {
    guard let text = json["topic"]?.string else { throw error("topic", "is missing") }
    let topic = try template(text, "topic")
    let qos = json["qos"]?.int ?? 1
    guard (0...2).contains(qos) else { throw error("qos", "must be 0, 1 or 2") }
    var expiry: Duration?
    if let value = json["messageExpiry"], !value.isNull {
      guard let duration = value.string.flatMap({ Duration(manifest: $0) }), duration >= .seconds(1) else {
        throw error("messageExpiry", "must be a duration of at least 1s")
      }
      expiry = duration
    }
    let payload = json["payload"]?.string ?? "Record"
    guard payload == "Record" || payload == "Batch" else {
      throw error("payload", "must be Record or Batch, is '\(payload)'")
    }
    return RecordMessages(
      topic: topic, qos: UInt8(qos), retain: json["retain"]?.bool ?? false, expiry: expiry,
      joinsBatch: payload == "Batch")
  }

  static func template(_ text: String, _ field: String) throws(SinkError) -> NameTemplate {
    let template: NameTemplate
    do throws(NameTemplate.Problem) {
      template = try NameTemplate(text)
    } catch {
      throw self.error(field, "\(error)")
    }
    if let problem = TopicFilter.problem(ofTopic: template.sample()) { throw error(field, "'\(text)': \(problem)") }
    return template
  }

  static func error(_ field: String, _ message: String) -> SinkError {
    SinkError(reason: "InvalidSpec", message: "spec.mqtt.\(field): \(message)")
  }

  static let schema = """
    type: object
    description: Publishes to an MQTT broker, as JSON or as Sparkplug B.
    required: [brokerRef]
    x-kubernetes-validations:
    - rule: "!has(self.topic) || (!self.topic.contains('+') && !self.topic.contains('#'))"
      message: must be a topic without wildcards
      fieldPath: .topic
    - rule: self.format == 'sparkplugB' || has(self.topic)
      message: the format json needs a topic
    - rule: self.format != 'sparkplugB' || has(self.sparkplug)
      message: the format sparkplugB needs the part sparkplug
    properties:
      brokerRef:
        type: object
        description: The Broker, in the Sink's namespace.
        required: [name]
        properties:
          name: {type: string, minLength: 1, maxLength: 253}
      format:
        type: string
        enum: [json, sparkplugB]
        default: json
        description: json publishes on topic; sparkplugB as an edge node of Eclipse Sparkplug 3.0.
      topic:
        type: string
        description: "Template of the topic: {namespace}, {node}, {device}, {property}, {model}, {unit}, {pipeline} and {label:KEY} are replaced; {model|none} says what stands for an empty one."
        minLength: 1
        maxLength: 1024
      payload:
        type: string
        enum: [Record, Batch]
        default: Record
        description: Record publishes one JSON object a record; Batch one array of them a topic and batch.
      qos: {type: integer, minimum: 0, maximum: 2, default: 1, description: 'Quality of service of the messages. 2 takes a connection of its own.'}
      retain: {type: boolean, default: false, description: Whether the broker keeps the last message of each topic.}
      messageExpiry: {$use: period, description: How long the broker keeps a message for who is away. MQTT 5 only.}
      sparkplug:
        type: object
        description: What the edge node is called and whom it waits for.
        required: [group]
        properties:
          group: {type: string, minLength: 1, maxLength: 255, pattern: '^[^+#/]+$', description: The group ID.}
          edgeNode: {type: string, minLength: 1, maxLength: 255, pattern: '^[^+#/]+$', default: '{node}', description: 'The edge node ID; {node} is the name of the gateway''s node.'}
          device: {type: string, minLength: 1, maxLength: 255, pattern: '^[^+#]+$', default: '{device}', description: Template of the device ID.}
          primaryHost: {type: string, minLength: 1, maxLength: 255, pattern: '^[^+#/]+$', description: The host application without which nothing is sent.}
    """
}

extension SinkError {
  /// What a failed publication means for a sink.
  init(_ error: MQTTError) {
    self.init(reason: error.reason, message: error.message)
    switch error.kind {
    case .unreachable, .connectionLost, .notConnected:
      message += "; see that the broker runs and can be reached from here"
    case .timeout: message += "; see whether the broker is overloaded"
    case .cancelled: message += "; the batch is sent again"
    default: break
    }
  }
}

extension SinkOutcome {
  /// Misconfiguration destroys no data: only what the broker can never take is refused.
  init(_ error: MQTTError) {
    let cause = SinkError(error)
    switch error.kind {
    case .invalidMessage: self = .refused(cause)
    case .quotaExceeded: self = .retry(cause, after: .seconds(5))
    default: self = .retry(cause, after: nil)
    }
  }
}
