internal import DeviceKit
internal import Documents

/// A change of desired values, as it is asked for.
struct DesiredChange {
  var device: DeviceKey
  var values: [String: JSONValue]
  var source: DesiredSource
  var ifVersion: UInt64?
  /// From the spec: whose wish counts from now on; nil: as it was.
  var policy: DesiredPolicy?
  /// The cloud's message that the change came with.
  var remote: RemoteWish?
}

/// What a change of desired values comes to, per property.
struct DesiredPlan {
  enum Effect {
    case keep
    case set(DesiredWish)
    case clear
  }
  enum DriftEffect {
    case keep
    case set(DesiredDrift)
    case clear
  }
  struct Step {
    var property: Int
    var effect: Effect
    /// Nil: as it was. `.null`: the spec wishes nothing any more.
    var specSeen: JSONValue?
    var drift = DriftEffect.keep
  }
  var twin: Int
  var rowID: Int64
  var source: DesiredSource
  var steps: [Step] = []
  /// Nil: as it was.
  var policy: DesiredPolicy?
  /// What the cloud is answered, by property, and what is stored of that.
  var verdicts: [String: RemoteAnswer.Property] = [:]
  var receipt: CommandRow?
  var isEmpty: Bool { steps.isEmpty && policy == nil && receipt == nil }
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
  /// latest change. A local change names what it changes, null taking a wish away. Where the spec wins, what it names is
  /// its own: a local change of it is kept beside it, until it is withdrawn or the spec changes the property.
  mutating func plan(_ change: DesiredChange, now: Timestamp) throws(TwinError) -> DesiredPlan {
    let twin: Int
    switch change.source {
    case .spec: twin = twinIndex(making: change.device, now: now)
    case .local, .cloud, .command:
      guard let existing = indexes[change.device] else { throw .notFound(change.device) }
      twin = existing
    }
    if let expected = change.ifVersion,
      expected < twins[twin].desiredVersion || expected > twins[twin].version
    {
      throw .conflict(change.device, current: twins[twin].version)
    }
    var plan = DesiredPlan(twin: twin, rowID: twins[twin].rowID, source: change.source)
    switch change.source {
    case .spec: planSpec(change, now, &plan)
    case .cloud:
      if let wish = change.remote { planRemote(wish, change, now: now, &plan) }
    case .local, .command: try planLocal(change, now, &plan)
    }
    return plan
  }

  private mutating func planSpec(_ change: DesiredChange, _ now: Timestamp, _ plan: inout DesiredPlan) {
    let policy = change.policy ?? twins[plan.twin].policy
    if policy != twins[plan.twin].policy { plan.policy = policy }
    var names = Set(change.values.keys)
    for property in twins[plan.twin].properties where property.specSeen != nil || property.drift != nil {
      names.insert(property.name)
    }
    for name in names.sorted() {
      let wished = change.values[name].flatMap { $0.isNull ? JSONValue?.none : $0 }
      let entry = twins[plan.twin].indexes[name].map { twins[plan.twin].properties[$0] }
      if Self.isSame(wished, entry?.specSeen) {
        keepSpec(wished, entry, policy, now, &plan)
        continue
      }
      var step = DesiredPlan.Step(property: propertyIndex(making: name, of: plan.twin), effect: .clear, specSeen: .null)
      if let wished {
        step.effect = .set(DesiredWish(value: wished, source: .spec, time: now))
        step.specSeen = wished
      }
      if entry?.drift != nil { step.drift = .clear }
      plan.steps.append(step)
    }
  }

  /// For a property that the spec did not change: what the policy makes of a local change, old or new.
  private mutating func keepSpec(
    _ wished: JSONValue?, _ entry: TwinProperty?, _ policy: DesiredPolicy, _ now: Timestamp, _ plan: inout DesiredPlan
  ) {
    guard let entry, let property = twins[plan.twin].indexes[entry.name] else { return }
    switch policy {
    case .latestWins:
      // Under this policy there is no drift, and no policy writes by being set.
      if entry.drift != nil { plan.steps.append(.init(property: property, effect: .keep, drift: .clear)) }
    case .specWins:
      guard let wished, !Self.isSame(entry.machine.wish?.value, wished) else { return }
      var step = DesiredPlan.Step(
        property: property, effect: .set(DesiredWish(value: wished, source: .spec, time: now)))
      if let local = entry.machine.wish {
        step.drift = .set(DesiredDrift(value: local.value, by: local.source, time: local.time))
      }
      plan.steps.append(step)
    }
  }

  mutating func planLocal(
    _ change: DesiredChange, _ now: Timestamp, _ plan: inout DesiredPlan
  ) throws(TwinError) {
    var problems: [TwinError.Problem] = []
    for (name, json) in change.values.sorted(by: { $0.key < $1.key }) {
      guard let property = twins[plan.twin].indexes[name] else {
        if !json.isNull { problems.append(.init(property: name, message: validator.unknown(name).message)) }
        continue
      }
      let entry = twins[plan.twin].properties[property]
      let specValue = twins[plan.twin].policy == .specWins ? entry.specSeen : JSONValue?.none
      if json.isNull {
        if specValue != nil {
          if entry.drift != nil { plan.steps.append(.init(property: property, effect: .keep, drift: .clear)) }
        } else if entry.machine.wish != nil {
          plan.steps.append(.init(property: property, effect: .clear))
        }
        continue
      }
      switch verdict(plan.twin, property, of: json) ?? .failure(validator.unknown(name)) {
      case .failure(let rejection):
        problems.append(.init(property: name, message: rejection.message))
      case .success(let value):
        var step = DesiredPlan.Step(property: property, effect: .keep)
        if let specValue {
          if case .success(value)? = verdict(plan.twin, property, of: specValue) {
            if entry.drift != nil { step.drift = .clear }
          } else {
            if entry.drift?.value != json || entry.drift?.by != change.source {
              step.drift = .set(DesiredDrift(value: json, by: change.source, time: now))
              plan.steps.append(step)
            }
            continue
          }
        }
        // Asking again for what is on its way or holds changes nothing; for what was given up it is a new wish.
        switch entry.machine.phase {
        case .pending where entry.machine.target == value, .writing where entry.machine.target == value,
          .confirmed where entry.machine.target == value:
          if case .keep = step.drift { continue }
        default:
          step.effect = .set(DesiredWish(value: json, source: specValue == nil ? change.source : .spec, time: now))
        }
        plan.steps.append(step)
      }
    }
    if !problems.isEmpty { throw .invalid(problems) }
  }

  /// Equal as JSON, numbers by value: 55 and 55.0 are the same wish.
  static func isSame(_ left: JSONValue?, _ right: JSONValue?) -> Bool {
    if left == right { return true }
    guard let left = left?.number, let right = right?.number else { return false }
    return left == right && left.magnitude < 9_007_199_254_740_992
  }

  /// The rows that `plan` will leave behind, for the commit that comes before it is applied.
  func rows(of plan: DesiredPlan, now: Timestamp) -> [DesiredRow] {
    plan.steps.map { step in
      var entry = twins[plan.twin].properties[step.property]
      // The versions to come are higher still: whoever knows this one has seen the change.
      entry.wishVersion = version + 1
      _ = Self.take(step, in: &entry, verdict: plannedVerdict(step, plan), now: now)
      return DesiredRow(entry)
    }
  }

  func plannedVerdict(_ step: DesiredPlan.Step, _ plan: DesiredPlan) -> Result<Value, DesiredRejection>? {
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

  static func take(
    _ step: DesiredPlan.Step, in entry: inout TwinProperty, verdict: Result<Value, DesiredRejection>?, now: Timestamp
  ) -> [DesiredState.Directive] {
    keep(step, in: &entry)
    return event(step.effect, verdict).map { entry.machine.handle($0, now: now) } ?? []
  }

  /// What of a step is no matter of the machine.
  private static func keep(_ step: DesiredPlan.Step, in entry: inout TwinProperty) {
    if let seen = step.specSeen { entry.specSeen = seen.isNull ? JSONValue?.none : seen }
    switch step.drift {
    case .keep: break
    case .set(let drift): entry.drift = drift
    case .clear: entry.drift = nil
    }
  }

  /// Makes a planned change, once it is on disk. A twin that was removed meanwhile takes nothing.
  mutating func apply(_ plan: DesiredPlan, now: Timestamp) {
    guard twins[plan.twin].isPresent, twins[plan.twin].rowID == plan.rowID else { return }
    if let policy = plan.policy {
      twins[plan.twin].policy = policy
      twins[plan.twin].version = bump()
      touch(plan.twin, .states)
    }
    withGatesShut(plan.twin, now: now) { state in
      for step in plan.steps { state.apply(step, plan, now: now) }
    }
    if !plan.steps.isEmpty || plan.policy != nil { twins[plan.twin].desiredVersion = twins[plan.twin].version }
  }

  private mutating func apply(_ step: DesiredPlan.Step, _ plan: DesiredPlan, now: Timestamp) {
    // The commit that came before has its history too.
    history.muted = (plan.twin, step.property)
    defer { history.muted = nil }
    twins[plan.twin].properties[step.property].differsSince = nil
    Self.keep(step, in: &twins[plan.twin].properties[step.property])
    if let event = Self.event(step.effect, plannedVerdict(step, plan)) {
      apply(event, twin: plan.twin, property: step.property, now: now)
    }
    mark(plan.twin, step.property)
    twins[plan.twin].properties[step.property].wishVersion = twins[plan.twin].version
    if case .set(let drift) = step.drift { noteDrift(drift, plan.twin, step.property, now) }
    // The row that was just committed says all of this already.
    twins[plan.twin].properties[step.property].isDesiredDirty = false
  }

  private mutating func noteDrift(_ drift: DesiredDrift, _ twin: Int, _ property: Int, _ now: Timestamp) {
    let machine = twins[twin].properties[property].machine
    let spec = twins[twin].properties[property].specSeen ?? .null
    note(
      DesiredState.Transition(
        from: machine.phase, to: machine.phase, reason: DesiredState.localDrift,
        message: "\(drift.by) wished \(drift.value); the Device's spec wishes \(spec) and wins"),
      twin, property, now)
  }
}
