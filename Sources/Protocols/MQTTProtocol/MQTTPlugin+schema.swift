public import DeviceKit

extension MQTTPlugin {
  public var schema: ProtocolSchema {
    ProtocolSchema(connection: Self.connection, property: Self.property, discovery: Self.discovery)
  }

  private static let connection = """
    type: object
    description: A device that publishes and listens on topics of one broker.
    required: [brokerRef]
    properties:
      brokerRef:
        type: object
        description: The Broker, in the Device's namespace.
        required: [name]
        properties:
          name: {type: string, minLength: 1, maxLength: 253}
      base: {type: string, minLength: 1, maxLength: 1024, description: "What {base} stands for in the model's topics."}
      silentAfter:
        $use: period
        description: The device counts as disconnected when nothing was heard for so long; absent, never.
    """

  private static let property = """
    type: object
    x-kubernetes-validations:
    - rule: "!has(self.topic) || (!self.topic.contains('+') && !self.topic.contains('#'))"
      message: must be a topic without wildcards
      fieldPath: .topic
    - rule: "!has(self.setTopic) || (!self.setTopic.contains('+') && !self.setTopic.contains('#'))"
      message: must be a topic without wildcards
      fieldPath: .setTopic
    - rule: "!has(self.setPayload) || self.setPayload.contains('{value}')"
      message: "must contain {value}"
      fieldPath: .setPayload
    - rule: "has(self.setTopic) || (!has(self.setPayload) && !has(self.retain))"
      message: setPayload and retain need setTopic
    - rule: "!has(self.encoding) || self.encoding != 'text' || !has(self.path) || self.path == ''"
      message: a payload of the encoding text has no paths
      fieldPath: .path
    properties:
      topic:
        type: string
        description: "Where the value is published; {base} is the Device's. Absent, {base} itself."
        minLength: 1
        maxLength: 1024
      path:
        type: string
        description: "Where it is in the JSON payload: keys between dots, element numbers in brackets. Absent, the whole."
        maxLength: 512
      timePath:
        type: string
        description: Where the payload has the value's time, RFC 3339 or seconds or milliseconds since 1970.
        minLength: 1
        maxLength: 512
      encoding:
        type: string
        description: json, or text for a payload that is the bare value. Absent, json.
        enum: [json, text]
      qos: {type: integer, minimum: 0, maximum: 2, description: 'Quality of service of the subscription. Absent, 1.'}
      setTopic: {type: string, minLength: 1, maxLength: 1024, description: "Where a value to be set is published."}
      setPayload:
        type: string
        description: "What is published to set it; {value} is the value as JSON, between quotes its bare text. Absent, {value}."
        maxLength: 4096
      retain: {type: boolean, description: Whether the broker keeps what is published to set it.}
    """

  private static let discovery = """
    type: object
    description: Finds devices by listening; nothing is ever asked of them.
    x-kubernetes-validations:
    - rule: "(has(self.conventions) && self.conventions.size() > 0) || (has(self.topics) && self.topics.size() > 0)"
      message: 'give topics or conventions, else nothing can be found'
    required: [brokerRef]
    properties:
      brokerRef:
        type: object
        description: The Broker, in the Discovery's namespace.
        required: [name]
        properties:
          name: {type: string, minLength: 1, maxLength: 253}
      conventions:
        type: array
        description: Announcements to understand.
        maxItems: 16
        x-kubernetes-list-type: set
        items: {type: string, enum: [homie, homeassistant, zigbee2mqtt, tasmota, sparkplugb]}
      topics:
        type: array
        description: Devices that follow no convention, by the topics on which they publish.
        maxItems: 64
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [pattern]
        items:
          type: object
          required: [pattern]
          properties:
            pattern: {type: string, minLength: 1, maxLength: 1024, description: "A topic filter with + and #."}
            name:
              type: string
              description: "The Device's whole name; {1} is what the first wildcard matched. Absent, made of the topic and a hash."
              minLength: 1
              maxLength: 253
            base:
              type: string
              description: "The Device's base; {1} as in name. Absent, the topic."
              minLength: 1
              maxLength: 1024
            modelRef:
              type: object
              required: [name]
              properties:
                name: {type: string, minLength: 1, maxLength: 253}
    """
}
