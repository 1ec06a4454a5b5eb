internal import Documents

extension DesiredState {
  /// Keeps a write back until the gate opens.
  mutating func park(behind gate: Gate, _ out: inout [Directive]) {
    step = .parked(isStale: !gate.isBrief && terms?.canRead == true)
    // A retry of what has Failed is no news.
    if phase != .failed || !gate.isBrief { move(to: .pending, gate.reason, gate.message, &out) }
  }

  /// Others have come first, or have to.
  mutating func take(_ gate: Gate?, _ now: Timestamp, _ out: inout [Directive]) {
    self.gate = gate
    guard case .parked(let isStale) = step else { return }
    guard let gate, !(gate.isBrief && isStale) else {
      if phase == .pending { message = "" }
      return begin(now, isNew: false, &out)
    }
    park(behind: gate, &out)
  }
}
