/// The groups: taken where they are free, handed over to those that have too few.
extension LeaseMachine {
  mutating func note(_ group: String, _ record: LeaseRecord?, version: UInt64) {
    guard version >= versions[group] ?? 0 else { return }
    versions[group] = version
    if record == nil, records[group] != nil { gone[group] = now }
    if record != nil { gone[group] = nil }
    let former = records[group]
    records[group] = record
    if (former == nil) != (record == nil) { order = nil }
    let holder = record?.holder ?? ""
    if former?.holder != holder || seen[group] == nil {
      seen[group] = (holder, now)
      free[group] = nil
      // The ring has holders in it that are no gateways any more, as long as they hold something.
      for one in [holder, former?.holder ?? ""] where !one.isEmpty {
        if !gateways.contains(GatewayIdentity.gateway(of: one)) { ring = nil }
      }
      if holder != identity.description {
        handingOver[group] = nil
        hasEnded.remove(group)
        written.remove(group)
      }
    }
  }

  mutating func answeredGroup(_ group: String, _ flight: Flight, _ answer: Answer) {
    switch answer {
    case .failed: retryDue[.group(group)] = now + jitter.near(timing.retryAfter)
    case .conflict: look(.group(group))
    case .record(let record):
      retryDue[.group(group)] = nil
      // A look that finds nothing is no older than what was known when it was asked.
      note(group, record, version: record?.version ?? versions[group] ?? 0)
      if flight.record != nil, records[group]?.holder == identity.description { written.insert(group) }
    }
  }

  mutating func advanceGroups() {
    guard isComplete, isFirm || isDraining && isHeld else { return finishDraining() }
    candidateCount = max(1, gateways.count { $0 != name && !isDead($0) } + 1)
    let mine = identity.description
    var room = Self.requestLimit - busy.count { if case .group = $0.key { true } else { false } }
    var held = 0
    for group in follows where group != DeviceGroup.summary {
      if records[group]?.holder == mine || busy[.group(group)]?.record?.holder == mine { held += 1 }
    }
    var counts: [String: Int]?
    let order = self.order ?? follows.union(records.keys).sorted()
    self.order = order
    for group in order {
      guard room > 0 else { break }
      let key = LeaseKey.group(group)
      guard busy[key] == nil, now >= retryDue[key] ?? now else { continue }
      let before = directives.count
      if let record = records[group], record.holder == mine {
        keep(group, record, &counts)
      } else if !isDraining {
        contend(for: group, records[group], &held)
      }
      room -= directives.count - before
    }
    if !isDraining { balance() }
    finishDraining()
  }

  private mutating func finishDraining() {
    guard isDraining, !isDrained else { return }
    guard isHeld else {
      guard busy.isEmpty else { return }
      isDrained = true
      return directives.append(.drained)
    }
    guard !records.values.contains(where: { $0.holder == identity.description }), busy.isEmpty else { return }
    if let record = own?.record, record.holder == identity.description {
      write(ownKey, record.passed(to: "", for: record.duration))
    } else {
      isDrained = true
      directives.append(.drained)
    }
  }

  /// A group that is this gateway's: given back where there is nothing to serve, handed over to who asks with reason.
  private mutating func keep(_ group: String, _ record: LeaseRecord, _ counts: inout [String: Int]?) {
    // The process before this one may have sent a write just before it was killed.
    let mayGiveAway = now >= formerWritesEnd
    if isDraining || !follows.contains(group) {
      guard mayGiveAway else { return }
      return write(.group(group), record.passed(to: "", for: timing.duration))
    }
    guard written.contains(group) else {
      return write(
        .group(group), record.passed(to: record.holder, for: timing.duration, wantedBy: record.wantedBy))
    }
    if let heir = handingOver[group] {
      guard mayGiveAway, hasEnded.contains(group) else { return }
      return write(.group(group), record.passed(to: "", for: timing.duration, wantedBy: heir.isEmpty ? nil : heir))
    }
    guard let asker = record.wantedBy, asker != name else { return }
    if counts == nil { counts = loads() }
    let mine = counts?[name] ?? 0
    let reason = group != DeviceGroup.summary && gateways.contains(asker) && mine >= (counts?[asker] ?? 0) + 2
    if reason, handingOver.count < Self.moveLimit {
      handOver(group, to: asker)
      counts?[name] = mine - 1
      counts?[asker, default: 0] += 1
    } else if !reason {
      write(.group(group), record.passed(to: record.holder, for: timing.duration))
    }
  }

  /// A group of others: taken where it is free and nobody with more reason comes first.
  private mutating func contend(for group: String, _ record: LeaseRecord?, _ held: inout Int) {
    let holder = record?.holder ?? ""
    if !holder.isEmpty {
      guard isOver(holder, of: group) else { return }
    } else if let since = gone[group], now - since < timing.duration {
      // Somebody has removed the Lease of a group that may be served.
      return
    }
    let state: (since: Duration, rank: Int)
    if let known = free[group] {
      state = known
    } else {
      state = (now, rank(in: group))
      free[group] = state
    }
    let isFollowed = follows.contains(group) && abstained[group].map { now >= $0.until } ?? true
    let next = (record ?? LeaseRecord(holder: "", duration: timing.duration))
    guard isFollowed else {
      if !holder.isEmpty { write(.group(group), next.passed(to: "", for: timing.duration)) }
      return
    }
    let share = (deviceGroupCount + candidateCount - 1) / candidateCount
    let excess = group == DeviceGroup.summary ? 0 : min(4, max(0, held + 1 - share))
    var steps = min(state.rank, 8) + 2 * excess
    if let asker = record?.wantedBy, gateways.contains(asker), !isDead(asker) { steps = asker == name ? 0 : steps + 5 }
    if !holder.isEmpty, steps > 0 {
      // All shall see that it is free.
      return write(.group(group), next.passed(to: "", for: timing.duration))
    }
    guard now >= state.since + timing.rankStep * steps else { return }
    if group != DeviceGroup.summary { held += 1 }
    write(.group(group), next.passed(to: identity.description, for: timing.duration))
  }

  private var deviceGroupCount: Int { follows.count - (follows.contains(DeviceGroup.summary) ? 1 : 0) }

  /// How many others have more reason to serve the group.
  private func rank(in group: String) -> Int {
    let mine = DeviceGroup.score(name, group)
    return gateways.count { $0 != name && !isDead($0) && DeviceGroup.score($0, group) > mine }
  }

  /// How many groups of devices each gateway serves.
  private func loads() -> [String: Int] {
    var counts: [String: Int] = [:]
    for group in follows where group != DeviceGroup.summary {
      guard let holder = records[group]?.holder, !holder.isEmpty else { continue }
      counts[GatewayIdentity.gateway(of: holder), default: 0] += 1
    }
    return counts
  }

  /// Asks the gateway that serves most for some of its groups, where it serves at least two more than this one.
  private mutating func balance() {
    guard let due = balanceDue else {
      balanceDue = now + jitter.near(timing.balanceEvery)
      return
    }
    guard now >= due else { return }
    balanceDue = now + jitter.near(timing.balanceEvery)
    let counts = loads()
    let mine = counts[name] ?? 0
    let richest = counts.filter { $0.key != name && !isDead($0.key) }.max { ($0.value, $0.key) < ($1.value, $1.key) }
    guard let richest, richest.value >= mine + 2 else { return }
    let wanted = follows.filter { group in
      guard group != DeviceGroup.summary, let record = records[group], busy[.group(group)] == nil,
        abstained[group] == nil
      else { return false }
      return GatewayIdentity.gateway(of: record.holder) == richest.key && record.wantedBy != name
        && record.wantedBy.map { !gateways.contains($0) || isDead($0) } ?? true
    }.map { (DeviceGroup.score(name, $0), $0) }.sorted { $0 > $1 }
    for (_, group) in wanted.prefix(min((richest.value - mine) / 2, Self.moveLimit)) {
      guard let record = records[group] else { continue }
      write(.group(group), record.passed(to: record.holder, for: record.duration, wantedBy: name))
    }
  }

  /// Leaves a group to others that may reach it; for longer each time.
  mutating func abstain(from group: String) {
    guard records[group]?.holder == identity.description, candidateCount > 1, handingOver[group] == nil else { return }
    let pause = min((abstained[group]?.pause ?? timing.duration) * 2, .seconds(3_600))
    abstained[group] = (now + pause, pause)
    handOver(group, to: "")
  }

  /// Serves the group no longer, and gives it back once that is over.
  private mutating func handOver(_ group: String, to heir: String) {
    handingOver[group] = heir
    // What was taken in this very step was never served.
    if !served.contains(group) { hasEnded.insert(group) }
  }
}
