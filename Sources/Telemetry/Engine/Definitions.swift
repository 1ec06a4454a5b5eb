public import Documents

/// A Pipeline as the engine takes it.
public struct PipelineDefinition: Sendable, Hashable {
  /// `namespace/name`. A pipeline takes points of devices in its own namespace only.
  public var key: String
  public var spec: JSONValue
  public init(key: String, spec: JSONValue) {
    self.key = key
    self.spec = spec
  }
}

/// A Sink as the engine takes it.
public struct SinkDefinition: Sendable, Hashable {
  /// `namespace/name`.
  public var key: String
  public var spec: JSONValue
  /// Any change makes a new writer, as a change of `spec` does: for what the spec only refers to (a Broker, a Secret).
  public var revision: Int
  public init(key: String, spec: JSONValue, revision: Int = 0) {
    self.key = key
    self.spec = spec
    self.revision = revision
  }
}
