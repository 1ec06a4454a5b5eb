internal import DeviceKit
internal import Documents

extension TwinState {
  /// Longer values and messages are named by their size alone.
  private static let longestValue = 1_024
  private static let longestMessage = 512

  // MARK: What happened

  /// A value or its quality has changed so that the file must have it; `former` is what the slot was.
  mutating func noteChange(at point: Int, from former: TwinSlot, version: UInt64, now: Timestamp) {
    let slot = slots[point]
    if slot.flags.contains(.kept) { keepReported(point, former, version) }
    if slot.flags.contains(.wished) { followDifference(Int(slot.twin), Int(slot.property), now) }
  }

  private mutating func keepReported(_ point: Int, _ former: TwinSlot, _ version: UInt64) {
    let slot = slots[point]
    let entry = twins[Int(slot.twin)].properties[Int(slot.property)]
    guard let definition = entry.definition else { return }
    let value = value(at: point)
    let last = history.kept(UInt32(point)) ?? Self.plainValue(of: former)
    let isTurned = (former.quality == .bad) != (slot.quality == .bad)
    guard isTurned || Self.isNews(value, after: last, definition, entry.machine.terms?.rules) else { return }
    guard let skipped = history.admit(UInt32(point), at: slot.gatewayTime) else {
      statistics.historySkipped += 1
      return
    }
    history.keep(value, of: UInt32(point))
    var details: [String: JSONValue] = ["quality": .string(slot.quality.name)]
    Self.put(last?.json, as: "from", in: &details)
    Self.put(value?.json, as: "to", in: &details)
    if slot.quality != .good, let cause = causes[UInt32(point)] { details["cause"] = .string(cause) }
    if slot.sourceTime != slot.gatewayTime, slot.sourceTime > 0 {
      details["sourceTime"] = .string(Timestamp(nanoseconds: slot.sourceTime).description)
    }
    if skipped > 0 { details["skipped"] = .integer(Int64(skipped)) }
    append(.reported, Int(slot.twin), Int(slot.property), version, slot.gatewayTime, details)
  }

  /// Whether a value is far enough from the last one kept.
  private static func isNews(
    _ value: Value?, after last: Value?, _ definition: PropertyDefinition, _ rules: WriteRules?
  ) -> Bool {
    guard let value else { return false }
    guard let last else { return true }
    guard definition.allowed.isEmpty, let number = value.number, let before = last.number else { return value != last }
    let deadband =
      definition.history?.deadband
      ?? Swift.max(rules?.tolerance ?? 0, rules?.resolution ?? 0, before.magnitude / 100)
    return (number - before).magnitude > deadband || (deadband == 0 && value != last)
  }

  private static func plainValue(of slot: TwinSlot) -> Value? {
    switch slot.kind {
    case .none, .side: nil
    case .boolean: .boolean(slot.payload != 0)
    case .integer: .integer(Int64(bitPattern: slot.payload))
    case .unsigned: .unsigned(slot.payload)
    case .number: .number(Double(bitPattern: slot.payload))
    }
  }

  mutating func noteHistory(
    of transition: DesiredState.Transition, _ twin: Int, _ property: Int, _ now: Timestamp
  ) {
    if let muted = history.muted, muted == (twin, property) { return }
    let entry = twins[twin].properties[property]
    var details = Self.details(of: transition, entry.machine.wish)
    switch transition.to {
    case .pending, .writing:
      // A link that comes and goes moves a wish to and fro.
      guard let skipped = history.admit(entry.point.index, at: now.nanoseconds) else {
        statistics.historySkipped += 1
        return
      }
      if skipped > 0 { details["skipped"] = .integer(Int64(skipped)) }
    case .confirmed, .failed, .rejected, .expired, .held, nil: break
    }
    append(.transition, twin, property, version + 1, now.nanoseconds, details)
  }

  private static func details(of transition: DesiredState.Transition, _ wish: DesiredWish?) -> [String: JSONValue] {
    var details: [String: JSONValue] = [:]
    if let from = transition.from { details["from"] = .string(from.rawValue) }
    if let to = transition.to { details["to"] = .string(to.rawValue) }
    if !transition.reason.isEmpty { details["reason"] = .string(transition.reason) }
    put(message: transition.message, in: &details)
    if let wish {
      put(wish.value, as: "desired", in: &details)
      details["by"] = .string(wish.source.description)
    }
    return details
  }

  mutating func noteCommand(
    _ name: String, _ value: JSONValue, by source: DesiredSource, _ outcome: TwinCommandOutcome, of device: DeviceKey,
    now: Timestamp
  ) {
    guard let twin = indexes[device], let property = twins[twin].indexes[name] else { return }
    var details: [String: JSONValue] = [
      "by": .string(source.description), "state": .string(outcome.state.rawValue),
    ]
    Self.put(value, as: "value", in: &details)
    Self.put(message: outcome.message, in: &details)
    append(.command, twin, property, bump(), now.nanoseconds, details)
    history.isUrgent = true
    wantsCommit = true
  }

  private static func put(_ value: JSONValue?, as name: String, in details: inout [String: JSONValue]) {
    guard let value else { return }
    let size = value.description.utf8.count
    if size <= longestValue { details[name] = value } else { details[name + "Bytes"] = .integer(Int64(size)) }
  }

  private static func put(message: String, in details: inout [String: JSONValue]) {
    if !message.isEmpty { details["message"] = .string(String(message.prefix(longestMessage))) }
  }

  private mutating func append(
    _ kind: TwinHistoryEntry.Kind, _ twin: Int, _ property: Int, _ version: UInt64, _ time: Int64,
    _ details: [String: JSONValue]
  ) {
    let row = row(kind, twin, property, version, time, details)
    history.append(row)
    if history.isPressing { wantsCommit = true }
  }

  private mutating func row(
    _ kind: TwinHistoryEntry.Kind, _ twin: Int, _ property: Int, _ version: UInt64, _ time: Int64,
    _ details: [String: JSONValue]
  ) -> HistoryRow {
    let version = history.stamp(version)
    return HistoryRow(
      id: history.takeID(), twin: twin, property: property, deviceRow: twins[twin].rowID,
      propertyRow: twins[twin].properties[property].rowID, version: version, time: time, kind: kind,
      body: JSONValue.object(details).description)
  }

  // MARK: On its way to the file

  /// Adds what waits, unless it can wait for the next group of reported values, and what `plans` will have done, to the
  /// commit that makes it so. If that fails, what waited waits again; of a plan that is refused there is nothing to tell.
  mutating func takeHistory(
    _ plans: [DesiredPlan], reported: Bool, _ commit: inout TwinCommit, _ claimed: inout Set<Int64>, now: Timestamp
  ) {
    let isDue = reported || history.isUrgent || history.isPressing || !commit.isEmpty
    for row in isDue ? history.take() : [] where twins[row.twin].isPresent && twins[row.twin].rowID == row.deviceRow {
      claim(row.twin, row.property, &commit, &claimed)
      commit.history.append(row)
    }
    for plan in plans where twins[plan.twin].isPresent && twins[plan.twin].rowID == plan.rowID && !plan.steps.isEmpty {
      let version = bump()
      for step in plan.steps {
        for (kind, details) in plannedHistory(of: step, plan, now: now) {
          commit.history.append(row(kind, plan.twin, step.property, version, now.nanoseconds, details))
        }
      }
    }
  }

  private func plannedHistory(of step: DesiredPlan.Step, _ plan: DesiredPlan, now: Timestamp)
    -> [(TwinHistoryEntry.Kind, [String: JSONValue])]
  {
    var entry = twins[plan.twin].properties[step.property]
    let former = entry.machine.wish
    let directives = Self.take(step, in: &entry, verdict: plannedVerdict(step, plan), now: now)
    var result: [(TwinHistoryEntry.Kind, [String: JSONValue])] = []
    var details: [String: JSONValue] = [:]
    Self.put(former?.value, as: "from", in: &details)
    switch step.effect {
    case .set(let wish):
      Self.put(wish.value, as: "to", in: &details)
      details["by"] = .string(wish.source.description)
      result.append((.desired, details))
    case .clear where former != nil:
      details["by"] = .string(plan.source.description)
      result.append((.desired, details))
    case .clear, .keep: break
    }
    for case .transition(let transition) in directives {
      result.append((.transition, Self.details(of: transition, entry.machine.wish ?? former)))
    }
    if case .set(let drift) = step.drift {
      var details: [String: JSONValue] = ["by": .string(drift.by.description)]
      Self.put(drift.value, as: "value", in: &details)
      result.append((.drift, details))
    }
    return result
  }

  // MARK: What is desired and not so

  /// Whether the device is known to hold what is desired of a property; nil without a wish. A reading that is merely
  /// Uncertain counts, one that is Bad does not; what cannot be read holds once it is Confirmed.
  func holds(_ twin: Int, _ property: Int) -> Bool? {
    let entry = twins[twin].properties[property]
    let machine = entry.machine
    guard let wish = machine.wish else { return nil }
    guard machine.phase != .rejected else { return false }
    if let terms = machine.terms, !terms.canRead { return machine.phase == .confirmed }
    let point = Int(entry.point.index)
    guard slots[point].quality != .bad, let value = value(at: point) else { return false }
    guard let target = machine.target, let terms = machine.terms else { return Self.isSame(value.json, wish.value) }
    return terms.rules.holds(target, in: value)
  }

  /// Takes note of when a property began to differ from what is desired of it.
  mutating func followDifference(_ twin: Int, _ property: Int, _ now: Timestamp) {
    let machine = twins[twin].properties[property].machine
    guard holds(twin, property) == false, let wish = machine.wish else {
      twins[twin].properties[property].differsSince = nil
      return
    }
    guard twins[twin].properties[property].differsSince == nil else { return }
    twins[twin].properties[property].differsSince = machine.wasConfirmed ? now : wish.time
  }
}
