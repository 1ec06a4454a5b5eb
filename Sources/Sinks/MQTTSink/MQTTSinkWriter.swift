internal import MQTTClient
internal import SinkKit

/// Sends the records of one Sink at QoS 0 or 1 over the connection that the Broker's users share.
struct MQTTSinkWriter: SinkWriter {
  let connection: MQTTConnection
  let messages: RecordMessages

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    do throws(MQTTError) {
      let publications = messages.publications(of: records)
      // Within the connection's queue, and in parts whose acknowledgements fit the limit of time.
      for start in stride(from: 0, to: publications.count, by: 4_096) {
        let part = Array(publications[start..<min(start + 4_096, publications.count)])
        try await connection.publish(part, within: .seconds(30), isFenced: messages.qos == 0)
      }
      return .delivered
    } catch {
      return SinkOutcome(error)
    }
  }

  func close() async {}
}

/// Sends the records of one Sink at QoS 2 over a connection of its own: a batch that is out is waited for over lost
/// connections and never begun again while the broker keeps the session.
actor ExactlyOnceWriter: SinkWriter {
  private let connection: MQTTConnection
  private let messages: RecordMessages
  private var begun: (records: [TelemetryRecord], parts: [[MQTTPublication]], pending: PendingPublication?)?
  private let patience = Duration.seconds(30)

  init(connection: MQTTConnection, messages: RecordMessages) {
    self.connection = connection
    self.messages = messages
  }

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    if begun?.records != records {
      let publications = messages.publications(of: records)
      let parts = stride(from: 0, to: publications.count, by: 4_096).map {
        Array(publications[$0..<min($0 + 4_096, publications.count)])
      }
      begun = (records, parts, nil)
    }
    do throws(MQTTError) {
      while let part = begun?.parts.first {
        if begun?.pending == nil { begun?.pending = try connection.begin(part) }
        guard let pending = begun?.pending else { break }
        let isComplete: Bool
        do throws(MQTTError) {
          isComplete = try await pending.isComplete(within: connection.state == .connected ? patience : .seconds(1))
        } catch {
          // Given up by the connection: the part begins anew. A cancelled task has only stopped to wait.
          if error.kind != .cancelled { begun?.pending = nil }
          throw error
        }
        guard isComplete else {
          if case .disconnected(let error) = connection.state { throw error }
          throw MQTTError(.timeout, "the broker has not taken the batch within \(patience)")
        }
        begun?.parts.removeFirst()
        begun?.pending = nil
      }
      begun = nil
      return .delivered
    } catch {
      if error.kind == .invalidMessage { begun = nil }
      return SinkOutcome(error)
    }
  }

  func close() async { connection.close() }
}
