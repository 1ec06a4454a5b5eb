public import Documents

extension DesiredState {
  /// What outlives a restart, apart from the wish itself: the phase once it has settled, when the value last held, and
  /// the counts that keep a fight from starting anew.
  public var record: JSONValue {
    var record: JSONValue = ["hasMet": .bool(hasMet)]
    switch phase {
    case .confirmed, .failed, .rejected, .expired, .held:
      record["phase"] = phase.map { .string($0.rawValue) }
      record["reason"] = .string(reason)
      record["message"] = .string(message)
      record["attempts"] = .integer(Int64(attempts))
    case .pending, .writing, nil: break
    }
    if wasConfirmed { record["wasConfirmed"] = true }
    if let confirmedAt { record["confirmedAt"] = .integer(confirmedAt.nanoseconds) }
    if !overwrites.isEmpty { record["overwrites"] = .array(overwrites.map { .integer($0.nanoseconds) }) }
    return record
  }

  /// The machine as a restart finds it: what had settled is as it was, what was on its way is Pending. It is served by
  /// nobody and not connected, so that the first thing to happen is a reading.
  public init(wish: DesiredWish?, record: JSONValue) {
    self.init()
    hasMet = record["hasMet"]?.bool ?? false
    confirmedAt = record["confirmedAt"]?.integer.map(Timestamp.init(nanoseconds:))
    guard let wish else { return }
    self.wish = wish
    wasConfirmed = record["wasConfirmed"]?.bool ?? false
    overwrites = record["overwrites"]?.array?.compactMap { $0.integer.map(Timestamp.init(nanoseconds:)) } ?? []
    if let settled = record["phase"]?.string.flatMap(Phase.init(rawValue:)) {
      phase = settled
      reason = record["reason"]?.string ?? ""
      message = record["message"]?.string ?? ""
      attempts = record["attempts"]?.int ?? 0
    } else {
      phase = .pending
      reason = "NotServed"
      message = Self.notServed
    }
  }
}
