internal import DeviceKit
internal import Documents
internal import MQTTClient
internal import SinkKit

/// Sends the records of one Sink as a Sparkplug edge node, over a connection of its own, whose will is the node's death.
///
/// A batch is delivered when the broker has read all of it: a fence stands in for the acknowledgements that QoS 0 lacks.
actor SparkplugWriter: SinkWriter {
  private let connection: MQTTConnection
  private let number: SessionNumber
  private let inbox: SparkplugInbox
  private let subscription: Subscription
  private var session: SparkplugSession
  private let now: @Sendable () -> Timestamp
  /// The connection's session in which the node was born.
  private var bornIn: Int?
  /// Follows the inbox until it is closed; cancelled with the writer.
  private var listener: Task<Void, Never>?

  init(
    _ specification: SparkplugSpecification, node: String, brokers: BrokerPool, broker: String, purpose: String,
    numberPath: String?
  ) {
    let edgeNode = TopicName.level(
      specification.edgeNode.split(separator: "{node}", omittingEmptySubsequences: false).joined(separator: node))
    let session = SparkplugSession(group: specification.group, edgeNode: edgeNode, device: specification.device)
    let number = SessionNumber(path: numberPath)
    let inbox = SparkplugInbox(commandTopic: session.commandTopic, primaryHost: specification.primaryHost)
    self.session = session
    self.number = number
    self.inbox = inbox
    let now = brokers.now
    self.now = now
    connection = brokers.dedicatedConnection(named: broker) { configuration in
      configuration.will = session.death(number: number.advance(), at: now())
    } adapt: { configuration in
      var own = configuration
      own.clientID = (configuration.clientID ?? "selvedge") + "-" + purpose
      // Sections 4.3.1.1 and 4.3.1.2: neither side keeps the session.
      own.cleanSession = true
      return own
    }
    let filters = inbox.topics.compactMap { try? TopicFilter($0, qos: 1) }
    subscription = connection.subscribe(filters, handler: inbox.take)
    Task { await listen() }
  }

  deinit {
    listener?.cancel()
    connection.close()
  }

  private func listen() {
    listener = Task { [weak self, inbox] in
      for await _ in inbox.bell { await self?.attend() }
    }
  }

  /// Bears the node as soon as it can be, and anew where a host asks for it; ends the session that the host has left.
  private func attend() async {
    if inbox.waitsForHost {
      if bornIn == connection.session, session.born != nil { await die(andRestart: true) }
      return
    }
    let isAsked = inbox.takeRebirth()
    guard isAsked || bornIn != connection.session || session.born == nil else { return }
    if isAsked { session.end() }
    try? await publish([])
  }

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    guard !records.isEmpty else { return .delivered }
    guard !inbox.waitsForHost || connection.state != .connected else {
      return .retry(
        SinkError(
          reason: "PrimaryHostOffline",
          message: "the primary host application has not said that it is online; start it, or see to its host ID"),
        after: .seconds(1))
    }
    do throws(MQTTError) {
      try await publish(records)
      return .delivered
    } catch {
      return SinkOutcome(error)
    }
  }

  /// Publishes the births that are due and the records. No suspension lies between the numbering of messages and their
  /// hand-over, so that they leave in the order of their numbers.
  private func publish(_ records: [TelemetryRecord]) async throws(MQTTError) {
    let now = self.now()
    let current = connection.session
    guard connection.state == .connected else {
      if case .disconnected(let error) = connection.state { throw error }
      throw MQTTError(.notConnected, "the connection to the broker is being made")
    }
    var messages: [MQTTPublication] = []
    if bornIn != current || session.born == nil {
      messages = session.birth(number: number.current, at: now)
      bornIn = current
    }
    messages += session.data(records, at: now)
    guard !messages.isEmpty else { return }
    do throws(MQTTError) {
      try await connection.publish(messages, within: .seconds(30), isFenced: true, session: current)
    } catch {
      // Some may be missing at the host: it gets new births before anything else.
      session.end()
      throw error
    }
  }

  /// NDEATH by the node's own hand (section 5.2).
  private func die(andRestart restarts: Bool) async {
    guard let born = session.born, bornIn == connection.session, connection.state == .connected else { return }
    session.end()
    let death = session.death(number: born.number, at: now())
    try? await connection.publish([death], within: .seconds(5))
    if restarts { connection.restart() }
  }

  func close() async {
    await die(andRestart: false)
    inbox.close()
    listener?.cancel()
    connection.close()
  }
}
