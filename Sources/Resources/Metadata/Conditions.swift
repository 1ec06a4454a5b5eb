public import Documents

/// One entry of `status.conditions` (meta/v1 Condition).
public struct Condition: Sendable, Hashable {
  public enum Status: String, Sendable, Hashable {
    case yes = "True"
    case no = "False"
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

  public func isTrue(_ type: String) -> Bool { self[type]?.status == .yes }

  /// Sets a condition. `lastTransitionTime` becomes `now` only where the status flips or the condition is new.
  public mutating func set(
    _ type: String, _ status: Condition.Status, reason: String, message: String = "", observedGeneration: Int64? = nil,
    now: Timestamp
  ) {
    var condition = Condition(
      type: type, status: status, reason: reason, message: message, observedGeneration: observedGeneration,
      lastTransitionTime: now)
    guard let index = all.firstIndex(where: { $0.type == type }) else { return all.append(condition) }
    if all[index].status == status { condition.lastTransitionTime = all[index].lastTransitionTime }
    all[index] = condition
  }

  public mutating func remove(_ type: String) { all.removeAll { $0.type == type } }

  /// Sets a condition that stands only while it is true (`Reconciling`, `Stalled`), or removes it: nil reason.
  public mutating func setAbnormal(
    _ type: String, reason: String?, message: String = "", observedGeneration: Int64? = nil, now: Timestamp
  ) {
    guard let reason else { return remove(type) }
    set(type, .yes, reason: reason, message: message, observedGeneration: observedGeneration, now: now)
  }

  /// The value of `status.conditions`.
  public var json: JSONValue { .array(all.map(\.json)) }
}
