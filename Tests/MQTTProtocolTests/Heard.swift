import MQTTClient
import Synchronization

/// Collects what a subscriber is told.
final class Heard: Sendable {
  private let contents = Mutex<(messages: [MQTTMessage], states: [MQTTState], refused: [String])>(([], [], []))
  @Sendable func take(_ event: MQTTEvent) {
    contents.withLock { contents in
      switch event {
      case .messages(let messages): contents.messages += messages
      case .state(let state): contents.states.append(state)
      case .refused(let filter): contents.refused.append(filter.text)
      }
    }
  }
  var messages: [MQTTMessage] { contents.withLock { $0.messages } }
  var states: [MQTTState] { contents.withLock { $0.states } }
  var refused: [String] { contents.withLock { $0.refused } }
  var texts: [String] { messages.map { String(decoding: $0.payload, as: UTF8.self) } }
}
