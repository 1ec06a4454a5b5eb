internal import DeviceKit
internal import Documents

/// A change of desired values, as it is asked for.
struct DesiredChange {
  var device: DeviceKey
  var values: [String: JSONValue]
  var source: DesiredSource
  var ifVersion: UInt64?
}

/// What a change of desired values comes to, per property.
struct DesiredPlan {
  enum Effect {
    case keep
    case set(DesiredWish)
    case clear
  }
  struct Step {
    var property: Int
    var effect: Effect
    /// Nil: as it was. `.null`: the spec wishes nothing any more.
    var specSeen: JSONValue?
  }
  var twin: Int
  var rowID: Int64
  var steps: [Step] = []
}

extension TwinState {
  /// What the model says of a property's present or given wish; nil without a wish or without a model.
  func verdict(_ twin: Int, _ property: Int, of json: JSONValue? = nil) -> Result<Value, DesiredRejection>? {
    let entry = twins[twin].properties[property]
    guard let json = json ?? entry.machine.wish?.value else { return nil }
    guard let definition = entry.definition else {
      return twins[twin].isAttached ? .failure(validator.unknown(entry.name)) : nil
    }
    do throws(DesiredRejection) {
      return .success(try validator.value(of: json, for: definition))
    } catch {
      return .failure(error)
    }
  }

  /// Works a change out without making it; what it needs room for is made.
  ///
  /// The Device's spec is compared, per property, with what it wished when it was last seen: what it did not change
  /// stays as it is, so that a local change outlives an unrelated edit; what it changed or took away counts as the
  /// latest change. A local change names what it changes, null taking a wish away.
  mutating func plan(_ change: DesiredChange, now: Timestamp) throws(TwinError) -> DesiredPlan {
    let twin: Int
    switch change.source {
    case .spec: twin = twinIndex(making: change.device, now: now)
    case .local:
      guard let existing = indexes[change.device] else { throw .notFound(change.device) }
      twin = existing
    }
    if let expected = change.ifVersion,
      expected < twins[twin].desiredVersion || expected > twins[twin].version
    {
      throw .conflict(change.device, current: twins[twin].version)
    }
    var plan = DesiredPlan(twin: twin, rowID: twins[twin].rowID)
    switch change.source {
    case .spec: planSpec(change, now, &plan)
    case .local: try planLocal(change, now, &plan)
    }
    return plan
  }

  private mutating func planSpec(_ change: DesiredChange, _ now: Timestamp, _ plan: inout DesiredPlan) {
    var names = Set(change.values.keys)
    for property in twins[plan.twin].properties where property.specSeen != nil { names.insert(property.name) }
    for name in names.sorted() {
      let wished = change.values[name].flatMap { $0.isNull ? nil : $0 }
      let seen = twins[plan.twin].indexes[name].flatMap { twins[plan.twin].properties[$0].specSeen }
      if Self.isSame(wished, seen) { continue }
      let property = propertyIndex(making: name, of: plan.twin)
      if let wished {
        let wish = DesiredWish(value: wished, source: .spec, time: now)
        plan.steps.append(.init(property: property, effect: .set(wish), specSeen: wished))
      } else {
        plan.steps.append(.init(property: property, effect: .clear, specSeen: .null))
      }
    }
  }

  private mutating func planLocal(
    _ change: DesiredChange, _ now: Timestamp, _ plan: inout DesiredPlan
  ) throws(TwinError) {
    var problems: [TwinError.Problem] = []
    for (name, json) in change.values.sorted(by: { $0.key < $1.key }) {
      guard let property = twins[plan.twin].indexes[name] else {
        if !json.isNull { problems.append(.init(property: name, message: validator.unknown(name).message)) }
        continue
      }
      let machine = twins[plan.twin].properties[property].machine
      if json.isNull {
        if machine.wish != nil { plan.steps.append(.init(property: property, effect: .clear)) }
        continue
      }
      switch verdict(plan.twin, property, of: json) ?? .failure(validator.unknown(name)) {
      case .failure(let rejection):
        problems.append(.init(property: name, message: rejection.message))
      case .success(let value):
        // Asking again for what is on its way or holds changes nothing; for what was given up it is a new wish.
        switch machine.phase {
        case .pending where machine.target == value, .writing where machine.target == value,
          .confirmed where machine.target == value:
          continue
        default:
          let wish = DesiredWish(value: json, source: change.source, time: now)
          plan.steps.append(.init(property: property, effect: .set(wish)))
        }
      }
    }
    if !problems.isEmpty { throw .invalid(problems) }
  }

  /// Equal as JSON, numbers by value: 55 and 55.0 are the same wish.
  private static func isSame(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
    if left == right { return true }
    guard let left = left?.number, let right = right?.number else { return false }
    return left == right && left.magnitude < 9_007_199_254_740_992
  }

  /// The rows that `plan` will leave behind, for the commit that comes before it is applied.
  func rows(of plan: DesiredPlan, now: Timestamp) -> [DesiredRow] {
    plan.steps.map { step in
      var entry = twins[plan.twin].properties[step.property]
      _ = Self.take(step, in: &entry, verdict: plannedVerdict(step, plan), now: now)
      return DesiredRow(entry)
    }
  }

  private func plannedVerdict(_ step: DesiredPlan.Step, _ plan: DesiredPlan) -> Result<Value, DesiredRejection>? {
    if case .set(let wish) = step.effect { verdict(plan.twin, step.property, of: wish.value) } else { nil }
  }

  private static func event(_ effect: DesiredPlan.Effect, _ verdict: Result<Value, DesiredRejection>?)
    -> DesiredState.Event?
  {
    switch effect {
    case .keep: nil
    case .set(let wish): .desired(wish, verdict)
    case .clear: .cleared
    }
  }

  private static func take(
    _ step: DesiredPlan.Step, in entry: inout TwinProperty, verdict: Result<Value, DesiredRejection>?, now: Timestamp
  ) -> [DesiredState.Directive] {
    if let seen = step.specSeen { entry.specSeen = seen.isNull ? nil : seen }
    return event(step.effect, verdict).map { entry.machine.handle($0, now: now) } ?? []
  }

  /// Makes a planned change, once it is on disk. A twin that was removed meanwhile takes nothing.
  mutating func apply(_ plan: DesiredPlan, now: Timestamp) {
    guard twins[plan.twin].isPresent, twins[plan.twin].rowID == plan.rowID else { return }
    for step in plan.steps {
      if let seen = step.specSeen { twins[plan.twin].properties[step.property].specSeen = seen.isNull ? nil : seen }
      if let event = Self.event(step.effect, plannedVerdict(step, plan)) {
        apply(event, twin: plan.twin, property: step.property, now: now)
      }
      // The row that was just committed says all of this already.
      twins[plan.twin].properties[step.property].isDesiredDirty = false
    }
    if !plan.steps.isEmpty { twins[plan.twin].desiredVersion = twins[plan.twin].version }
  }
}
