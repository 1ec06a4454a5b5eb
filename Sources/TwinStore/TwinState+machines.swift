internal import DeviceKit
internal import Documents

extension TwinState {
  /// Feeds one event to one property's machine, and to those that wait for it what comes of it.
  mutating func apply(_ event: DesiredState.Event, twin: Int, property: Int, now: Timestamp) {
    if feed(event, twin: twin, property: property, now: now) { regate(twin, now: now) }
  }

  /// Feeds one event to one property's machine and carries its directives to where they are fetched; whether the
  /// machine has moved.
  @discardableResult
  mutating func feed(_ event: DesiredState.Event, twin: Int, property: Int, now: Timestamp) -> Bool {
    let before = face(twin, property)
    let step = twins[twin].properties[property].machine.step
    let directives = twins[twin].properties[property].machine.handle(event, now: now)
    let machine = twins[twin].properties[property].machine
    for directive in directives {
      switch directive {
      case .read, .write:
        twins[twin].work[property] = directive
        twins[twin].wakeup.signal()
      case .wakeAt: twins[twin].wakeup.signal()
      case .transition(let transition):
        note(transition, twin, property, now)
      }
    }
    // What is no longer waited for must not go out.
    switch twins[twin].work[property] {
    case .read(let ticket)?, .write(let ticket, _)?:
      if machine.awaitedTicket != ticket { twins[twin].work[property] = nil }
    case .wakeAt?, .transition?, nil: break
    }
    let hasMoved = machine.step != step
    followDifference(twin, property, now)
    let slot = Int(twins[twin].properties[property].point.index)
    if machine.watchesReports { slots[slot].flags.insert(.wished) } else { slots[slot].flags.remove(.wished) }
    guard face(twin, property) != before else { return hasMoved }
    mark(twin, property)
    return true
  }

  /// Something that is shown of a property's desired side has changed.
  mutating func mark(_ twin: Int, _ property: Int) {
    let version = bump()
    twins[twin].properties[property].stateVersion = version
    twins[twin].version = version
    touch(twin, .states)
  }

  private struct Face: Equatable {
    var wish: DesiredWish?
    var phase: DesiredState.Phase?
    var reason: String
    var message: String
    var attempts: Int
    var confirmedAt: Timestamp?
  }

  private func face(_ twin: Int, _ property: Int) -> Face {
    let machine = twins[twin].properties[property].machine
    return Face(
      wish: machine.wish, phase: machine.phase, reason: machine.reason, message: machine.message,
      attempts: machine.attempts, confirmedAt: machine.confirmedAt)
  }

  mutating func note(_ transition: DesiredState.Transition, _ twin: Int, _ property: Int, _ now: Timestamp) {
    let entry = TwinTransition(
      device: twins[twin].key, property: twins[twin].properties[property].name, transition: transition, time: now,
      wish: twins[twin].properties[property].machine.wish)
    noteHistory(of: transition, twin, property, now)
    for stream in transitionStreams.values {
      if case .dropped = stream.yield(entry) { statistics.lostTransitions += 1 }
    }
    // What is merely on its way needs no row: a restart finds it Pending from the wish alone.
    switch transition.to {
    case .confirmed, .failed, .rejected, .expired, .held:
      guard !twins[twin].properties[property].isDesiredDirty else { break }
      markDesired(twin, property)
      // A restart comes to the same by reading; where nothing can be read, it would write again.
      if twins[twin].properties[property].definition?.access.canRead == false {
        wantsCommit = true
      } else {
        wantsSettling = true
      }
    case .pending, .writing, nil: break
    }
  }

  mutating func markDesired(_ twin: Int, _ property: Int) {
    guard !twins[twin].properties[property].isDesiredDirty else { return }
    twins[twin].properties[property].isDesiredDirty = true
    dirtyDesired.append((twin, property))
  }

  /// Sends due ticks, then hands out every read and write that waits, each once; or, in turn with them, one command.
  mutating func takeWork(_ key: DeviceKey, now: Timestamp) -> TwinWork {
    var work = TwinWork()
    guard let twin = indexes[key] else { return work }
    for property in twins[twin].properties.indices {
      guard let wake = twins[twin].properties[property].machine.nextWake else { continue }
      if now >= wake {
        apply(.tick, twin: twin, property: property, now: now)
      }
      if let next = twins[twin].properties[property].machine.nextWake {
        work.nextWake = work.nextWake.map { Swift.min($0, next) } ?? next
      }
    }
    if twins[twin].work.isEmpty || !twins[twin].hadCommand, let command = takeCommand(twin, now: now) {
      twins[twin].hadCommand = true
      work.command = command
      return work
    }
    twins[twin].hadCommand = false
    guard !twins[twin].work.isEmpty else { return work }
    let places = writePlaces(twin)
    func place(_ property: Int) -> (Int, Int, Int) {
      let place = places[property] ?? (.max, .max)
      return (place.first, place.own, property)
    }
    for (property, directive) in twins[twin].work.sorted(by: { place($0.key) < place($1.key) }) {
      let entry = twins[twin].properties[property]
      switch directive {
      case .read(let ticket): work.reads.append(.init(property: entry.name, ticket: ticket))
      case .write(let ticket, let value):
        work.writes.append(
          .init(
            property: entry.name, ticket: ticket, value: value, from: self.value(at: Int(entry.point.index)),
            source: entry.machine.wish?.source ?? .spec, group: entry.machine.terms?.rules.group))
      case .wakeAt, .transition: break
      }
    }
    twins[twin].work = [:]
    return work
  }

  /// Takes a reading that the desired-state writer asked for: into the twin, unless something newer came meanwhile,
  /// and to the machine.
  mutating func complete(
    read property: String, of key: DeviceKey, ticket: DesiredState.Ticket, _ result: Result<Reading, DeviceError>,
    now: Timestamp
  ) {
    guard let twin = indexes[key], let index = twins[twin].indexes[property] else { return }
    if case .success(let reading) = result { take(reading, property, of: key, now: now) }
    apply(.read(ticket, result), twin: twin, property: index, now: now)
  }

  /// Takes a usable reading into the twin, unless something newer came meanwhile.
  mutating func take(_ reading: Reading, _ property: String, of key: DeviceKey, now: Timestamp) {
    guard let twin = indexes[key], let index = twins[twin].indexes[property] else { return }
    let point = twins[twin].properties[index].point
    guard reading.value != nil, reading.quality == .good,
      reading.gatewayTime.nanoseconds > slots[Int(point.index)].gatewayTime
    else { return }
    var batch = SampleBatch()
    batch.append(point, reading)
    ingest(batch) { now }
  }

  func isAwaited(_ property: String, of key: DeviceKey, ticket: DesiredState.Ticket) -> Bool {
    guard let twin = indexes[key], let index = twins[twin].indexes[property] else { return false }
    return twins[twin].properties[index].machine.awaitedTicket == ticket
  }

  func snapshot(_ key: DeviceKey) -> TwinSnapshot? {
    guard let index = indexes[key] else { return nil }
    let twin = twins[index]
    let modelled = Set(twin.order)
    let others = twin.properties.indices.filter {
      !modelled.contains($0) && (twin.properties[$0].machine.wish != nil || twin.properties[$0].definition != nil)
    }.sorted { twin.properties[$0].name < twin.properties[$1].name }
    return TwinSnapshot(
      device: key, uid: twin.uid, created: twin.created, createdVersion: twin.createdVersion, version: twin.version,
      isAttached: twin.isAttached, isConnected: twin.isConnected, writesEnabled: twin.writesEnabled,
      policy: twin.policy,
      properties: (twin.order + others).map { property in
        let entry = twin.properties[property]
        let point = Int(entry.point.index)
        return TwinSnapshot.Property(
          name: entry.name, definition: entry.definition, reading: reading(at: point),
          version: Swift.max(slots[point].version, entry.stateVersion), desired: entry.machine.wish,
          target: entry.machine.target, state: entry.machine.phase, reason: entry.machine.reason,
          message: entry.machine.message, attempts: entry.machine.attempts, confirmedAt: entry.machine.confirmedAt,
          specDesired: entry.specSeen, drift: entry.drift, holds: holds(index, property),
          differsSince: entry.differsSince)
      })
  }
}
