internal import DeviceKit
internal import Documents

/// Dependencies and groups: what each property's machine has to wait for, told to it anew after each change.
extension TwinState {
  /// What keeps gates shut while several changes are made at once.
  private static let settling = DesiredState.Gate(reason: "WaitsFor", message: "", isBrief: true)

  /// Makes several changes of one twin so that none of them writes before all of them are made.
  mutating func withGatesShut(_ twin: Int, now: Timestamp, _ body: (inout TwinState) -> Void) {
    for (property, _) in twins[twin].writeOrder.gated where twins[twin].properties[property].machine.gate == nil {
      feed(.gated(Self.settling), twin: twin, property: property, now: now)
    }
    twins[twin].isRegating = true
    body(&self)
    twins[twin].isRegating = false
    regate(twin, now: now)
  }

  /// Tells every machine its gate, releases groups that are ready and takes back what must not go out after all.
  mutating func regate(_ twin: Int, now: Timestamp) {
    let order = twins[twin].writeOrder
    guard !order.isEmpty, !twins[twin].isRegating else { return }
    twins[twin].isRegating = true
    defer { twins[twin].isRegating = false }
    // Each round moves something on; that it ends does not hang on it.
    for _ in 0...(4 * order.gated.count) {
      var isChanged = false
      for (property, terms) in order.gated {
        let gate = gate(of: property, terms, twin)
        if twins[twin].properties[property].machine.gate != gate {
          feed(.gated(gate), twin: twin, property: property, now: now)
          isChanged = true
        }
        if let gate, !gate.isBrief, takeBack(twin, property, now) { isChanged = true }
      }
      for group in order.groups where advance(group, twin, now) { isChanged = true }
      if !isChanged { return }
    }
  }

  private func gate(of property: Int, _ terms: TwinWriteOrder.Terms, _ twin: Int) -> DesiredState.Gate? {
    if let obstacle = dependency(of: terms, twin) { return obstacle }
    guard let index = terms.group else { return nil }
    let group = twins[twin].writeOrder.groups[index]
    for member in group.members where member != property {
      if let why = blocker(member, twin) {
        return .init(reason: "WaitsForGroup", message: "waits for group \(group.name): \(why)", isBrief: false)
      }
    }
    return .init(
      reason: "WaitsForGroup", message: "is written once all of group \(group.name) is ready", isBrief: true)
  }

  private func dependency(of terms: TwinWriteOrder.Terms, _ twin: Int) -> DesiredState.Gate? {
    for other in terms.after {
      let entry = twins[twin].properties[other]
      guard let phase = entry.machine.phase, !entry.machine.isSettled else { continue }
      // A Confirmed value that is being looked at again.
      let state = phase == .confirmed ? "read again" : phase.rawValue
      let detail = entry.machine.reason.isEmpty ? "" : " (\(entry.machine.reason))"
      return .init(
        reason: "WaitsFor", message: "waits for \(entry.name), which is \(state)\(detail)", isBrief: false)
    }
    return nil
  }

  /// Why a member keeps its group waiting longer than a reading or a write takes; nil: it does not.
  private func blocker(_ member: Int, _ twin: Int) -> String? {
    let entry = twins[twin].properties[member]
    guard let phase = entry.machine.phase, phase != .confirmed else { return nil }
    let isUnderWay =
      switch entry.machine.step {
      case .idle, .backingOff: false
      case .reading, .writing, .awaiting, .parked: true
      }
    let terms = twins[twin].writeOrder.gated.first { $0.property == member }?.terms
    let obstacle = isUnderWay ? terms.flatMap { dependency(of: $0, twin) } : nil
    if isUnderWay, obstacle == nil { return nil }
    let cause = obstacle?.message ?? entry.machine.message
    return "\(entry.name) is \(phase.rawValue)" + (cause.isEmpty ? "" : ": \(cause)")
  }

  /// Releases a group whose members with a wish all hold or are ready; takes back what would go without the others.
  private mutating func advance(_ group: TwinWriteOrder.Group, _ twin: Int, _ now: Timestamp) -> Bool {
    var ready: [Int] = []
    var unsent: [Int] = []
    var isWhole = true
    for member in group.members where twins[twin].properties[member].machine.wish != nil {
      let machine = twins[twin].properties[member].machine
      if case .write? = twins[twin].work[member] {
        unsent.append(member)
      } else if machine.isReady {
        ready.append(member)
        isWhole = isWhole && unsent.isEmpty
      } else if !machine.isSettled {
        isWhole = false
      }
    }
    if !unsent.isEmpty, !isWhole || !ready.isEmpty {
      for member in unsent { _ = takeBack(twin, member, now) }
      return true
    }
    guard isWhole, !ready.isEmpty else { return false }
    for member in ready { feed(.released, twin: twin, property: member, now: now) }
    return true
  }

  /// Takes a write back that nobody has fetched.
  private mutating func takeBack(_ twin: Int, _ property: Int, _ now: Timestamp) -> Bool {
    guard case .write(let ticket, _)? = twins[twin].work[property] else { return false }
    feed(.unsent(ticket), twin: twin, property: property, now: now)
    return true
  }

  /// The place of each property in a batch of writes: the model's order, the members of a group next to each other.
  func writePlaces(_ twin: Int) -> [Int: (first: Int, own: Int)] {
    var places: [Int: (first: Int, own: Int)] = [:]
    for (place, property) in twins[twin].order.enumerated() { places[property] = (place, place) }
    for group in twins[twin].writeOrder.groups {
      let first = group.members.compactMap { places[$0]?.own }.min() ?? 0
      for member in group.members { places[member]?.first = first }
    }
    return places
  }
}
