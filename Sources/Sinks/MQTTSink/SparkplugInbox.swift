internal import Documents
internal import MQTTClient
internal import Synchronization

/// What a connection's handler, which must not wait, leaves for the writer of a Sparkplug node.
final class SparkplugInbox: Sendable {
  private struct Content {
    var asksForBirth = false
    var isHostOnline = false
    var hostTime: Int64 = .min
  }

  private let content = Mutex(Content())
  private let commandTopic: String
  private let hostTopic: String?
  /// Rung at every change.
  let bell: AsyncStream<Void>
  private let ring: AsyncStream<Void>.Continuation

  init(commandTopic: String, primaryHost: String?) {
    self.commandTopic = commandTopic
    hostTopic = primaryHost.map { "spBv1.0/STATE/\($0)" }
    (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// What the node listens for; both of QoS 1.
  var topics: [String] { [commandTopic] + (hostTopic.map { [$0] } ?? []) }

  /// Whether there is a host to wait for, and it is away.
  var waitsForHost: Bool { hostTopic != nil && content.withLock { !$0.isHostOnline } }

  /// Whether a command asked for new births since the last call.
  func takeRebirth() -> Bool {
    content.withLock { content in
      defer { content.asksForBirth = false }
      return content.asksForBirth
    }
  }

  @Sendable func take(_ event: MQTTEvent) async {
    switch event {
    case .state(.connected), .refused: break
    // The host's state is told anew in the next session.
    case .state: content.withLock { ($0.isHostOnline, $0.hostTime) = (false, .min) }
    case .messages(let messages):
      for message in messages {
        if message.topic == commandTopic {
          if SparkplugPayload.asksForRebirth(message.payload) { content.withLock { $0.asksForBirth = true } }
        } else {
          takeState(message.payload)
        }
      }
    }
    ring.yield()
  }

  /// `{"online": true, "timestamp": n}`; one older than what is known says nothing (Eclipse Sparkplug 3.0, section
  /// 5.4.1).
  private func takeState(_ payload: [UInt8]) {
    guard let json = try? JSONValue(parsing: payload), let isOnline = json["online"]?.bool,
      let time = json["timestamp"]?.integer
    else { return }
    content.withLock { content in
      guard time >= content.hostTime else { return }
      (content.isHostOnline, content.hostTime) = (isOnline, time)
    }
  }

  func close() { ring.finish() }
}
