extension MosquittoClient {
  /// The meaning of a CONNACK's return code (MQTT 3.1.1, table 3.1) or reason code (MQTT 5, section 3.2.2.2); nil for 0,
  /// accepted.
  static func refusal(_ code: Int32) -> MQTTError? {
    switch code {
    case 0: nil
    case 1, 132:
      MQTTError(.refused, "the broker does not speak this version of MQTT; set the Broker's spec.protocolVersion")
    case 2, 133: MQTTError(.refused, "the broker refused the client ID; set the Broker's spec.clientID")
    case 3, 136, 137: MQTTError(.refused, "the broker is not available; it is tried again")
    case 4, 134:
      MQTTError(.unauthorised, "the broker refused the user name or password; check the Broker's credentials")
    case 5, 135, 138:
      MQTTError(.unauthorised, "the broker does not authorise this client; check its credentials and its rights")
    case 151, 159: MQTTError(.quotaExceeded, "the broker takes no more connections of this client for now")
    default: MQTTError(.refused, "the broker refused the connection with code \(code)")
    }
  }

  /// What a PUBACK's or PUBREC's reason code says of a message on `topic` (MQTT 5, section 3.4.2.1); nil where it was
  /// taken, by nobody too.
  static func refusal(_ reason: Int32, publishing topic: String) -> MQTTError? {
    switch reason {
    case ..<128: nil
    case 135:
      MQTTError(
        .unauthorised, "the broker does not let this client publish on '\(topic)'; grant it that in the broker's rules")
    case 144: MQTTError(.invalidMessage, "the broker does not take the topic '\(topic)'")
    case 149: MQTTError(.invalidMessage, "the message on '\(topic)' is larger than the broker takes")
    case 151:
      MQTTError(.quotaExceeded, "the broker's quota for this client is used up; it is tried again, or raise the quota")
    case 153: MQTTError(.invalidMessage, "the broker does not take the format of the message on '\(topic)'")
    default: MQTTError(.refused, "the broker refused the message on '\(topic)' with reason code \(reason)")
    }
  }

  /// Why the broker ended the connection, by the reason code of its DISCONNECT (MQTT 5, section 3.14.2.1).
  static func farewell(_ reason: Int32) -> MQTTError {
    switch reason {
    case 135, 138: MQTTError(.unauthorised, "the broker no longer authorises this client; check its credentials")
    case 142:
      MQTTError(
        .takenOver, "another client has connected under the same client ID; give the Broker a spec.clientID of its own")
    case 139: MQTTError(.connectionLost, "the broker is shutting down")
    case 147, 150, 151: MQTTError(.quotaExceeded, "the broker ended the connection: too much was sent at a time")
    case 149: MQTTError(.connectionLost, "the broker ended the connection: a message is larger than it takes")
    default: MQTTError(.connectionLost, "the broker ended the connection with reason code \(reason)")
    }
  }
}
