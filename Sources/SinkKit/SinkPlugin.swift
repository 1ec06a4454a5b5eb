public import Documents

/// What a sink folder gives to the gateway.
public protocol SinkPlugin: Sendable {
  /// The key in `Sink.spec`: `mqtt`, `file`.
  var name: String { get }
  /// The fragment under `Sink.spec.<name>`: YAML text, an OpenAPI v3 structural schema.
  var schema: String { get }
  /// Makes a writer; no I/O yet. Throws where the fragment cannot be served, with a message that names the field.
  func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter
}

public struct SinkRequest: Sendable {
  /// `namespace/name` of the Sink.
  public var name: String
  /// The sink's fragment of `Sink.spec`, defaults filled in.
  public var specification: JSONValue
  public init(name: String, specification: JSONValue) {
    self.name = name
    self.specification = specification
  }

  /// The Sink's namespace: that of what its spec refers to.
  public var namespace: String { name.firstIndex(of: "/").map { String(name[..<$0]) } ?? "default" }
}

public struct SinkError: Error, Sendable, Hashable, CustomStringConvertible {
  /// CamelCase, fit for a condition's reason.
  public var reason: String
  public var message: String
  public init(reason: String, message: String) {
    self.reason = reason
    self.message = message
  }
  public var description: String { message }
}

/// What became of a batch.
public enum SinkOutcome: Sendable, Hashable {
  /// The receiver has it all: it leaves the spool.
  case delivered
  /// The receiver has the batch but for some records, which it will never take: counted by cause (CamelCase, small at
  /// the start), of which together there are at most as many as records. The batch leaves the spool.
  case deliveredExcept([String: Int], SinkError)
  /// Not now; the same batch is offered again, after `after` or the spool's own backoff.
  case retry(SinkError, after: Duration?)
  /// The receiver will never take this batch.
  case refused(SinkError)
}

/// Sends batches to one receiver. Called by one task at a time.
public protocol SinkWriter: Sendable {
  /// Sends the records in their order and returns when the receiver has acknowledged all of them (or will not).
  func send(_ records: [TelemetryRecord]) async -> SinkOutcome
  /// Flushes and closes; no call follows.
  func close() async
}
