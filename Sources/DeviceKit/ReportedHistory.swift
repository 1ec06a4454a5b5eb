/// What of a property's reported values goes into the twin's history, as a model says it.
public struct ReportedHistory: Sendable, Hashable {
  public enum Rule: String, Sendable, Hashable, CaseIterable {
    case off = "Off"
    case changes = "Changes"
  }
  /// Nil: as ``PropertyDefinition/keepsReported`` decides.
  public var reported: Rule?
  /// A number is kept once it is further than this, in the property's unit, from the last one kept; nil: the larger of
  /// what writing tolerates and 1 % of that one.
  public var deadband: Double?

  public init(reported: Rule? = nil, deadband: Double? = nil) {
    self.reported = reported
    self.deadband = deadband
  }
}

extension PropertyDefinition {
  /// Whether changes of the reported value are kept. Where the model does not say: booleans, strings and properties
  /// with an `enum` always, other numbers with a deadband or in the summary, objects and arrays never.
  public var keepsReported: Bool {
    guard access.canRead else { return false }
    if let rule = history?.reported { return rule == .changes }
    if history?.deadband != nil { return true }
    return switch type {
    case .boolean, .string: true
    case .integer, .number: isSummary || !allowed.isEmpty
    case .object, .array: false
    }
  }
}
