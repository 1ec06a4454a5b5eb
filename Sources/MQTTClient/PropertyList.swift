internal import CMosquitto

/// A list of libmosquitto's properties (MQTT 5, section 2.2.2), freed with its owner.
struct PropertyList: ~Copyable {
  private(set) var head: OpaquePointer?

  deinit {
    var head = head
    mosquitto_property_free_all(&head)
  }

  /// Whole seconds, rounded up, of a four byte integer; all that it holds for longer ones.
  mutating func add(_ property: mqtt5_property, seconds: Duration) {
    let (whole, rest) = seconds.components
    mosquitto_property_add_int32(&head, Int32(property.rawValue), UInt32(clamping: whole + (rest > 0 ? 1 : 0)))
  }

  mutating func add(_ properties: MQTTProperties) {
    if let expiry = properties.expiry { add(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, seconds: expiry) }
    if let type = properties.contentType {
      if type.hasPrefix("text/") || type.hasSuffix("json") {
        mosquitto_property_add_byte(&head, Int32(MQTT_PROP_PAYLOAD_FORMAT_INDICATOR.rawValue), 1)
      }
      mosquitto_property_add_string(&head, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), type)
    }
    for property in properties.user {
      mosquitto_property_add_string_pair(
        &head, Int32(MQTT_PROP_USER_PROPERTY.rawValue), property.name, property.value)
    }
  }
}
