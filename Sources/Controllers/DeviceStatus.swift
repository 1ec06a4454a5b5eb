public import DeviceKit
public import Documents
internal import Resources

/// One property as a Device's status shows it.
public struct PropertyStatus: Sendable, Hashable {
  public var name: String
  public var reported: JSONValue?
  public var quality: Quality
  public var time: Timestamp?
  public var desired: JSONValue?
  /// Pending | Writing | Confirmed | Failed | Rejected | Expired | Held; nil without a desired value.
  public var state: String?
  public var message: String
  public var isSummary: Bool
  public init(
    name: String, reported: JSONValue?, quality: Quality, time: Timestamp?, desired: JSONValue?, state: String?,
    message: String, isSummary: Bool
  ) {
    self.name = name
    self.reported = reported
    self.quality = quality
    self.time = time
    self.desired = desired
    self.state = state
    self.message = message
    self.isSummary = isSummary
  }
}

/// Computes a Device's status. Pure.
public struct DeviceStatus: Sendable {
  /// At most so many properties stand in the status; the rest is counted.
  public static let maximumProperties = 64

  public var nodeName: String
  public var generation: Int64
  public var resolution: DeviceResolution
  public var connection: ConnectionState?
  public var properties: [PropertyStatus]

  public init(
    nodeName: String, generation: Int64, resolution: DeviceResolution, connection: ConnectionState?,
    properties: [PropertyStatus]
  ) {
    self.nodeName = nodeName
    self.generation = generation
    self.resolution = resolution
    self.connection = connection
    self.properties = properties
  }

  /// The status as a merge patch on `previous` (the object's status as it stands): members that go are null.
  public func patch(previous: JSONValue, now: Timestamp) -> JSONValue {
    let shown = shownProperties()
    var status: JSONValue = [
      "observedGeneration": .integer(generation), "nodeName": resolution == .elsewhere ? .null : .string(nodeName),
      "conditions": conditions(previous: Conditions(previous["conditions"]), now: now),
      "properties": .array(shown.map(\.json)),
    ]
    if case .serve(let plan) = resolution {
      status["modelRef"] = ["name": .string(plan.model.name)]
    } else {
      status["modelRef"] = .null
    }
    let omitted = properties.count { $0.desired != nil || $0.isSummary } - shown.count
    status["propertiesOmitted"] = omitted > 0 ? .integer(Int64(omitted)) : .null
    return status
  }

  /// What a status says beyond mere values: two patches of equal digests need no write.
  public static func digest(of status: JSONValue) -> JSONValue {
    var digest = status
    digest["identity"] = nil
    digest["properties"] = .array(
      (status["properties"]?.array ?? []).map { property in
        var property = property
        property["reported"] = nil
        property["time"] = nil
        return property
      })
    digest["conditions"] = .array(
      (status["conditions"]?.array ?? []).map { condition in
        var condition = condition
        condition["lastTransitionTime"] = nil
        return condition
      })
    return .object((digest.object ?? [:]).filter { !$0.value.isNull })
  }

  private func shownProperties() -> [PropertyStatus] {
    let wished = properties.filter { $0.desired != nil }
    let summarised = properties.filter { $0.desired == nil && $0.isSummary }
    return Array((wished + summarised).prefix(DeviceStatus.maximumProperties))
  }

  private func conditions(previous: Conditions, now: Timestamp) -> JSONValue {
    var list = Conditions.Editor(previous, generation: generation, now: now)
    switch resolution {
    case .waiting(let reason, let message):
      list.set("Connected", .unknown, reason, message)
      list.set("Synced", .unknown, reason, message)
      list.set("Ready", .false, reason, message)
      list.set("Reconciling", nil)
      list.set("Stalled", nil)
    case .faulty(let reason, let message):
      list.set("Connected", .unknown, reason, message)
      list.set("Synced", .unknown, reason, message)
      list.set("Ready", .false, reason, message)
      list.set("Reconciling", nil)
      list.set("Stalled", .true, reason, message)
    case .elsewhere:
      let message = "spec.nodeName names another node, and no gateway there: start one, or change spec.nodeName"
      for type in ["Connected", "Synced", "Ready"] { list.set(type, .unknown, "NodeAbsent", message) }
      list.set("Reconciling", nil)
      list.set("Stalled", nil)
    case .serve: served(&list)
    }
    return list.json
  }

  private func served(_ list: inout Conditions.Editor) {
    let (sync, syncReason, syncMessage) = synchronisation()
    list.set("Synced", sync, syncReason, syncMessage)
    let isStuck = properties.contains { $0.state == "Rejected" }
    let isUnderWay = properties.contains { $0.state == "Pending" || $0.state == "Writing" }
    switch connection {
    case nil, .connecting?:
      list.set("Connected", .unknown, "Connecting", "the first connection is being made")
      list.set("Ready", .false, "Connecting", "the first connection is being made")
    case .connected?:
      list.set("Connected", .true, "Connected", "the device answers")
      if sync == .true {
        list.set("Ready", .true, "Ready", "the device answers and holds what is desired")
      } else {
        list.set("Ready", .false, syncReason, syncMessage)
      }
    case .disconnected(let error)?:
      list.set("Connected", .false, error.reason, error.message)
      list.set("Ready", .false, error.reason, error.message)
    }
    if isUnderWay || connection == nil || connection == .connecting {
      list.set("Reconciling", .true, isUnderWay ? syncReason : "Connecting", "converging")
    } else {
      list.set("Reconciling", nil)
    }
    // One at a time: tools that go by the order of the list must not take a device that is still moving for stuck.
    list.set("Stalled", isStuck && !list.conditions.isTrue("Reconciling") ? .true : nil, syncReason, syncMessage)
  }

  /// The Synced condition: the worst state among the desired properties decides.
  private func synchronisation() -> (Condition.Status, reason: String, message: String) {
    let wished = properties.filter { $0.state != nil }
    guard !wished.isEmpty else { return (.true, "NothingDesired", "no property has a desired value") }
    for state in ["Rejected", "Failed", "Expired", "Held", "Writing", "Pending"] {
      let these = wished.filter { $0.state == state }
      guard let first = these.first else { continue }
      let others = these.count > 1 ? " (and \(these.count - 1) more)" : ""
      let message = first.message.isEmpty ? "\(first.name) is \(state)" : "\(first.name): \(first.message)"
      return (.false, state, message + others)
    }
    return (.true, "Confirmed", "every desired value was read back")
  }
}

extension PropertyStatus {
  fileprivate var json: JSONValue {
    var json: JSONValue = ["name": .string(name), "quality": .string(quality.name)]
    json["reported"] = reported
    json["time"] = time.map { .string($0.description) }
    json["desired"] = desired
    json["state"] = state.map { .string($0) }
    if !message.isEmpty { json["message"] = .string(message) }
    return json
  }
}
