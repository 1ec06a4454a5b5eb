public import Documents

/// The conditions of a status under construction (meta/v1 Condition): a list keyed by type, whose lastTransitionTime
/// moves only when a status flips.
public struct ConditionList: Sendable {
  public enum Status: String, Sendable {
    case `true` = "True"
    case `false` = "False"
    case unknown = "Unknown"
  }

  private var conditions: [JSONValue]
  private let generation: Int64
  private let now: Timestamp

  /// Begins with the conditions as they stand.
  public init(_ previous: [JSONValue], generation: Int64, now: Timestamp) {
    conditions = previous
    self.generation = generation
    self.now = now
  }

  /// Sets one condition; a nil status removes it, as abnormal-true conditions ask.
  public mutating func set(_ type: String, _ status: Status?, _ reason: String = "", _ message: String = "") {
    let index = conditions.firstIndex { $0["type"]?.string == type }
    guard let status else {
      if let index { conditions.remove(at: index) }
      return
    }
    let isFlip = index.map { conditions[$0]["status"]?.string != status.rawValue } ?? true
    let since = isFlip ? nil : index.flatMap { conditions[$0]["lastTransitionTime"] }
    let condition: JSONValue = [
      "type": .string(type), "status": .string(status.rawValue), "reason": .string(reason.isEmpty ? type : reason),
      "message": .string(message), "observedGeneration": .integer(generation),
      "lastTransitionTime": since ?? .string(now.secondsText),
    ]
    if let index { conditions[index] = condition } else { conditions.append(condition) }
  }

  public var json: JSONValue { .array(conditions) }
}
