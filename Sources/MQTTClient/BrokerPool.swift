public import Documents
public import Logging
internal import Synchronization

/// The brokers of a gateway by name, and one shared connection to each.
///
/// A connection can be asked for before its broker is configured: it says so in its state and connects when the
/// configuration comes, whichever manifest was first.
public final class BrokerPool: Sendable {
  /// The state of one broker.
  public struct BrokerState: Sendable, Hashable {
    public var name: String
    public var state: MQTTState
  }

  private struct Unconfigured {
    weak var connection: MQTTConnection?
  }

  private struct Dedicated {
    weak var connection: MQTTConnection?
    var adapt: @Sendable (BrokerConfiguration) -> BrokerConfiguration
  }

  private struct Contents {
    var configured: [String: (connection: MQTTConnection, observer: Int?)] = [:]
    var configurations: [String: BrokerConfiguration] = [:]
    var dedicated: [String: [Dedicated]] = [:]
    /// Those that somebody waits for; forgotten with the last who does.
    var awaited: [String: Unconfigured] = [:]
    var observers: [Int: @Sendable (BrokerState) -> Void] = [:]
    var nextObserver = 0
  }

  private let contents = Mutex(Contents())
  private let logger: Logger
  /// What the time is, at which messages arrive and are born.
  public let now: @Sendable () -> Timestamp
  private let barrier = AcknowledgementBarrier()

  public init(logger: Logger, now: @escaping @Sendable () -> Timestamp = MQTTConnection.systemTime) {
    self.logger = logger
    self.now = now
  }

  /// Sets what each connection awaits after its subscribers have taken what one read brought, and before it is
  /// acknowledged. False drops the connection instead: the broker sends those messages again.
  public func beforeAcknowledging(_ commit: @escaping @Sendable () async -> Bool) { barrier.set(commit) }

  /// Configures the broker `name` (`namespace/name`): a new one connects, a changed one reconnects.
  public func set(_ name: String, _ configuration: BrokerConfiguration) {
    let connection = connection(named: name)
    let isNew = contents.withLock { contents in
      contents.awaited[name] = nil
      contents.configurations[name] = configuration
      guard contents.configured[name] == nil else { return false }
      contents.configured[name] = (connection, nil)
      return true
    }
    if isNew {
      let observer = connection.observe { [weak self] in self?.tell(BrokerState(name: name, state: $0)) }
      contents.withLock { $0.configured[name]?.observer = observer }
    }
    connection.configure(configuration)
    for dedicated in dedicated(to: name) { dedicated.connection?.configure(dedicated.adapt(configuration)) }
  }

  /// A connection of the caller's own to the broker `name`, which follows that Broker's configuration, each time as
  /// `adapt` makes it. It ends with its last reference.
  public func dedicatedConnection(
    named name: String, preparing: (@Sendable (inout BrokerConfiguration) -> Void)? = nil,
    adapt: @escaping @Sendable (BrokerConfiguration) -> BrokerConfiguration
  ) -> MQTTConnection {
    let connection = MQTTConnection(name: name, logger: logger, now: now, preparing: preparing)
    let configuration = contents.withLock { contents in
      contents.dedicated[name, default: []].append(Dedicated(connection: connection, adapt: adapt))
      return contents.configurations[name]
    }
    if let configuration { connection.configure(adapt(configuration)) }
    return connection
  }

  /// Those that somebody still holds.
  private func dedicated(to name: String) -> [Dedicated] {
    contents.withLock { contents in
      let held = contents.dedicated[name]?.filter { $0.connection != nil } ?? []
      contents.dedicated[name] = held.isEmpty ? nil : held
      return held
    }
  }

  /// Forgets the broker's configuration: its connection ends; who still holds it waits for another `set`.
  public func remove(_ name: String) {
    let known = contents.withLock { contents in
      let known = contents.configured.removeValue(forKey: name)
      contents.configurations[name] = nil
      if let known { contents.awaited[name] = Unconfigured(connection: known.connection) }
      return known
    }
    guard let known else { return }
    if let observer = known.observer { known.connection.stopObserving(observer) }
    known.connection.configure(nil)
    for dedicated in dedicated(to: name) { dedicated.connection?.configure(nil) }
  }

  /// The connection to the broker `name`, configured or not.
  public func connection(named name: String) -> MQTTConnection {
    contents.withLock { contents in
      if let known = contents.configured[name]?.connection ?? contents.awaited[name]?.connection { return known }
      let connection = MQTTConnection(name: name, logger: logger, now: now, barrier: barrier)
      contents.awaited = contents.awaited.filter { $0.value.connection != nil }
      contents.awaited[name] = Unconfigured(connection: connection)
      return connection
    }
  }

  public var names: [String] { contents.withLock { $0.configured.keys.sorted() } }

  /// The state of every configured broker now and at every change.
  public var states: AsyncStream<BrokerState> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1_024)) { continuation in
      let (id, known) = contents.withLock { contents in
        contents.nextObserver += 1
        contents.observers[contents.nextObserver] = { continuation.yield($0) }
        return (contents.nextObserver, contents.configured)
      }
      for (name, entry) in known { continuation.yield(BrokerState(name: name, state: entry.connection.state)) }
      continuation.onTermination = { [weak self] _ in
        self?.contents.withLock { _ = $0.observers.removeValue(forKey: id) }
      }
    }
  }

  /// Closes every connection; no call follows.
  public func close() {
    let held = contents.withLock { contents in
      contents.configured.values.map(\.connection) + contents.dedicated.values.joined().compactMap(\.connection)
    }
    for connection in held { connection.close() }
  }

  /// Closes every connection and returns when none of them hands over or acknowledges anything any more, or after
  /// `limit`: who listened may go then without losing what was acknowledged.
  public func closeAndWait(atMost limit: Duration = .seconds(5)) async {
    let connections = contents.withLock { $0.configured.values.map(\.connection) }
    for connection in connections { connection.close() }
    let deadline = ContinuousClock.now + limit
    while !connections.allSatisfy(\.isEnded), ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private func tell(_ state: BrokerState) {
    for observer in contents.withLock({ Array($0.observers.values) }) { observer(state) }
  }
}
