public import Documents

/// One entry of `status.conditions` (meta/v1 Condition).
public struct Condition: Sendable, Hashable {
  public enum Status: String, Sendable, Hashable {
    case `true` = "True"
    case `false` = "False"
    case unknown = "Unknown"
  }
  public var type: String
  public var status: Status
  /// CamelCase, never empty.
  public var reason: String
  public var message: String
  public var observedGeneration: Int64?
  /// When `status` last changed.
  public var lastTransitionTime: Timestamp

  public init(
    type: String, status: Status, reason: String, message: String = "", observedGeneration: Int64? = nil,
    lastTransitionTime: Timestamp
  ) {
    self.type = type
    self.status = status
    self.reason = reason
    self.message = message
    self.observedGeneration = observedGeneration
    self.lastTransitionTime = lastTransitionTime
  }

  init?(_ json: JSONValue) {
    guard let type = json["type"]?.string, let status = json["status"]?.string.flatMap(Status.init) else { return nil }
    self.init(
      type: type, status: status, reason: json["reason"]?.string ?? "", message: json["message"]?.string ?? "",
      observedGeneration: json["observedGeneration"]?.integer,
      lastTransitionTime: json["lastTransitionTime"]?.string.flatMap { Timestamp($0) } ?? Timestamp(seconds: 0))
  }

  public var json: JSONValue {
    var json: JSONValue = [
      "type": .string(type), "status": .string(status.rawValue), "reason": .string(reason),
      "message": .string(message), "lastTransitionTime": .string(lastTransitionTime.secondsText),
    ]
    if let observedGeneration { json["observedGeneration"] = .integer(observedGeneration) }
    return json
  }
}

/// The conditions of one object, kept in the order in which they were first set.
public struct Conditions: Sendable, Hashable {
  public private(set) var all: [Condition]

  /// Reads `status.conditions` of an object; entries that are no conditions are left out.
  public init(of object: JSONValue) { self.init(object[path: "status", "conditions"]) }

  public init(_ json: JSONValue? = nil) { all = (json?.array ?? []).compactMap { Condition($0) } }

  public subscript(type: String) -> Condition? { all.first { $0.type == type } }

  public func isTrue(_ type: String) -> Bool { self[type]?.status == .true }

  /// The value of `status.conditions`.
  public var json: JSONValue { .array(all.map(\.json)) }
}

extension Conditions {
  /// Changes the conditions of a status under construction: what it sets is about one generation, at one time.
  public struct Editor: Sendable {
    public private(set) var conditions: Conditions
    private let generation: Int64?
    private let now: Timestamp

    /// Begins with the conditions as they stand.
    public init(_ previous: Conditions = Conditions(), generation: Int64? = nil, now: Timestamp) {
      conditions = previous
      self.generation = generation
      self.now = now
    }

    /// Sets a condition; nil removes it, as those that stand only while they are true ask (`Reconciling`, `Stalled`).
    /// `lastTransitionTime` moves only where the status flips or the condition is new. An empty reason becomes the type.
    public mutating func set(
      _ type: String, _ status: Condition.Status?, _ reason: String = "", _ message: String = ""
    ) {
      let index = conditions.all.firstIndex { $0.type == type }
      guard let status else {
        if let index { conditions.all.remove(at: index) }
        return
      }
      var condition = Condition(
        type: type, status: status, reason: reason.isEmpty ? type : reason, message: message,
        observedGeneration: generation, lastTransitionTime: now)
      if let index {
        if conditions.all[index].status == status {
          condition.lastTransitionTime = conditions.all[index].lastTransitionTime
        }
        conditions.all[index] = condition
      } else {
        conditions.all.append(condition)
      }
    }

    /// The value of `status.conditions`.
    public var json: JSONValue { conditions.json }
  }
}
