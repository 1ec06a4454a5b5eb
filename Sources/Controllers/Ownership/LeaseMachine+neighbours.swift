/// Who looks after whom: in a ring of all gateways each looks at the two before it that live, so that a Lease that is
/// renewed no more is seen by two, however many gateways there are.
extension LeaseMachine {
  mutating func advanceNeighbours() {
    for neighbour in neighbours() {
      let key = LeaseKey.gateway(neighbour)
      guard busy[key] == nil else { continue }
      let due = lookDue[neighbour] ?? now
      guard let sight = sights[neighbour], let record = sight.record, !record.holder.isEmpty,
        now - sight.since >= record.duration, isFirm
      else {
        guard now >= due else { continue }
        let pause = jitter.near(timing.renewEvery)
        lookDue[neighbour] = now + (isDead(neighbour) ? pause * 6 : pause)
        look(key)
        continue
      }
      guard now >= retryDue[key] ?? now else { continue }
      write(key, record.passed(to: "", for: record.duration))
    }
  }

  /// Those before this gateway in the ring, up to the second that lives.
  private mutating func neighbours() -> [String] {
    if ring == nil {
      var names = gateways.union([name])
      for record in records.values where !record.holder.isEmpty {
        names.insert(GatewayIdentity.gateway(of: record.holder))
      }
      ring = names.map { (DeviceGroup.hash($0), $0) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
    }
    guard let ring, ring.count > 1, let place = ring.firstIndex(of: name) else { return [] }
    var found: [String] = []
    var living = 0
    for step in 1..<ring.count where living < Self.neighbourCount && found.count < Self.longestWalk {
      let neighbour = ring[(place + ring.count - step) % ring.count]
      found.append(neighbour)
      if !isDead(neighbour) { living += 1 }
    }
    return found
  }

  mutating func answered(_ neighbour: String, _ flight: Flight, _ answer: Answer) {
    let key = LeaseKey.gateway(neighbour)
    switch answer {
    case .failed:
      lookDue[neighbour] = now + jitter.near(timing.retryAfter)
      retryDue[key] = lookDue[neighbour]
    case .conflict:
      // It is renewed after all, or somebody else was quicker.
      look(key)
    case .record(let record):
      retryDue[key] = nil
      if let sight = sights[neighbour], sight.record?.version == record?.version {
        sights[neighbour]?.asked = flight.begun
        return
      }
      sights[neighbour] = Sight(record: record, since: now, asked: flight.begun)
    }
  }

  /// Whether the gateway is known to be away: its Lease is nobody's, or there is none.
  func isDead(_ gateway: String) -> Bool {
    guard gateway != name, let sight = sights[gateway] else { return false }
    guard let record = sight.record else { return now - sight.since >= timing.duration }
    return record.holder.isEmpty
  }

  /// Whether the holder of a group is over: its gateway's Lease was seen, after the group's, in other hands or gone for
  /// the whole duration. A Lease never comes back to an identity that it was taken from.
  func isOver(_ holder: String, of group: String) -> Bool {
    let gateway = GatewayIdentity.gateway(of: holder)
    if gateway == name { return isHeld && holder != identity.description }
    guard let sight = sights[gateway], let first = seen[group], sight.asked > first.at else { return false }
    guard let record = sight.record else { return now - sight.since >= timing.duration }
    return record.holder != holder
  }
}
