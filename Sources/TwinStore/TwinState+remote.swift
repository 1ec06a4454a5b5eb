internal import DeviceKit
internal import Documents

extension TwinState {
  /// Works out a wish of the cloud: what can be is planned as a local change is, the rest gets its reason.
  ///
  /// A three-way comparison, for each property: `baseVersion` is what both sides knew. Where nobody has wished anything
  /// else since, or the same, the cloud's value is taken; where somebody has, theirs stays.
  mutating func planRemote(_ wish: RemoteWish, _ change: DesiredChange, now: Timestamp, _ plan: inout DesiredPlan) {
    for (name, json) in change.values.sorted(by: { $0.key < $1.key }) {
      if let conflict = conflict(name, json, wish.baseVersion, plan.twin) {
        plan.verdicts[name] = .init(.conflict, conflict)
        continue
      }
      do throws(TwinError) {
        var single = change
        single.values = [name: json]
        let before = plan.steps.count
        try planLocal(single, now, &plan)
        plan.verdicts[name] = overruled(name, json, plan, since: before) ?? .init(.accepted)
      } catch {
        guard case .invalid(let problems) = error, let problem = problems.first else { continue }
        plan.verdicts[name] = .init(.rejected, problem.message)
      }
    }
    plan.receipt = CommandRow(
      device: plan.rowID, key: wish.key, property: "", value: wish.content, by: DesiredSource.cloud.description,
      time: now.nanoseconds, outcome: RemoteAnswer(properties: plan.verdicts).json.description)
  }

  private func conflict(_ name: String, _ json: JSONValue, _ base: UInt64?, _ twin: Int) -> String? {
    guard let base, let property = twins[twin].indexes[name] else { return nil }
    let entry = twins[twin].properties[property]
    guard entry.wishVersion > base else { return nil }
    let present = entry.machine.wish
    if Self.isSame(present?.value, json.isNull ? JSONValue?.none : json) { return nil }
    let theirs = present.map { "\($0.source) wishes \($0.value)" } ?? "the wish was taken away"
    return "\(theirs) since version \(entry.wishVersion), and the cloud knew \(base): read the twin and ask again"
  }

  /// Where the Device's spec names the property and wins.
  private func overruled(
    _ name: String, _ json: JSONValue, _ plan: DesiredPlan, since first: Int
  ) -> RemoteAnswer.Property? {
    guard let property = twins[plan.twin].indexes[name], twins[plan.twin].policy == .specWins,
      let spec = twins[plan.twin].properties[property].specSeen, !Self.isSame(spec, json)
    else { return nil }
    let drift = twins[plan.twin].properties[property].drift
    // With null a drift is withdrawn, as it was asked for.
    if json.isNull, drift != nil { return nil }
    if json.isNull { return .init(.specWins, "the Device's spec wishes \(spec) and wins: change the Device") }
    let isKept = plan.steps[first...].contains { step in
      if case .set = step.drift { true } else { false }
    }
    let isThere = drift.map { Self.isSame($0.value, json) } ?? false
    guard isKept || isThere else { return nil }
    return .init(.specWins, "the Device's spec wishes \(spec) and wins: \(json) is kept as drift and not written")
  }
}
