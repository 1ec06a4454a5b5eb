/// What a look over a model finds.
public struct ModelFinding: Sendable, Hashable {
  public enum Severity: String, Sendable, Hashable, CaseIterable {
    /// The gateway refuses it, or a value would be wrong.
    case error
    /// It can be served, and is probably not what was meant.
    case warning
    /// How the model will be served.
    case note
  }
  public var severity: Severity
  /// Below the model's spec: `properties[3].modbus.order`; empty for the whole model.
  public var path: String
  public var message: String

  public init(_ severity: Severity, _ path: String, _ message: String) {
    self.severity = severity
    self.path = path
    self.message = message
  }
}
