internal import Documents
internal import Synchronization

/// What the public face of a connection and its loop's thread have in common.
final class ConnectionShared: Sendable {
  /// Who is told what comes for a subscription.
  struct Subscriber: Sendable {
    var handler: @Sendable (MQTTEvent) async -> Void
    /// Takes the messages, if the handler does not.
    var taker: (any MessageTaker)?
  }

  enum Command: Sendable {
    case subscribe(Int, [TopicFilter], Subscriber)
    case unsubscribe(Int)
    case publish([MQTTPublication], PublishJob, deadline: ContinuousClock.Instant)
  }

  struct Contents: Sendable {
    var commands: [Command] = []
    var configuration: BrokerConfiguration?
    /// Rises at each change of the configuration.
    var generation = 0
    var isClosed = false
    /// The thread has ended: nothing is acknowledged any more.
    var isEnded = false
    var state: MQTTState
    var observers: [Int: @Sendable (MQTTState) -> Void] = [:]
    var nextID = 1
    /// Rises with each connection that is made.
    var session = 0
    /// Messages handed over and neither acknowledged nor failed.
    var outstanding = 0
  }

  let contents: Mutex<Contents>
  let wake = WakeDescriptor()
  let now: @Sendable () -> Timestamp
  let barrier: AcknowledgementBarrier
  let prepare: (@Sendable (inout BrokerConfiguration) -> Void)?

  init(
    name: String, now: @escaping @Sendable () -> Timestamp, barrier: AcknowledgementBarrier,
    prepare: (@Sendable (inout BrokerConfiguration) -> Void)? = nil
  ) {
    self.now = now
    self.barrier = barrier
    self.prepare = prepare
    contents = Mutex(
      Contents(state: .disconnected(MQTTError(.notConfigured, "the Broker '\(name)' does not exist (yet)"))))
  }

  var state: MQTTState { contents.withLock { $0.state } }

  /// Sets the state and tells the observers; false where it was the same already.
  func set(_ state: MQTTState) -> Bool {
    let observers = contents.withLock { contents -> [@Sendable (MQTTState) -> Void]? in
      guard contents.state != state else { return nil }
      contents.state = state
      if state == .connected { contents.session += 1 }
      return Array(contents.observers.values)
    }
    guard let observers else { return false }
    for observer in observers { observer(state) }
    return true
  }

  func settle(_ count: Int) { contents.withLock { $0.outstanding -= count } }
}
