internal import DeviceKit
public import Documents

extension DesiredState {
  /// Takes one event and says what is to be done, in order. `now` never decides anything but deadlines, pauses and
  /// expiry.
  public mutating func handle(_ event: Event, now: Timestamp) -> [Directive] {
    var directives: [Directive] = []
    let wake = nextWake
    take(event, now, &directives)
    expireIfDue(now, &directives)
    if let next = nextWake, next != wake { directives.append(.wakeAt(next)) }
    return directives
  }

  private mutating func take(_ event: Event, _ now: Timestamp, _ out: inout [Directive]) {
    switch event {
    case .desired(let wish, let verdict):
      self.wish = wish
      attempts = 0
      failures = 0
      overwrites = []
      isUnverified = false
      mayApply = true
      wasConfirmed = false
      step = .idle
      judge(verdict, now, &out)
    case .cleared:
      guard wish != nil else { return }
      wish = nil
      target = nil
      attempts = 0
      failures = 0
      overwrites = []
      step = .idle
      move(to: nil, "", "", &out)
    case .served(let terms, let verdict): serve(on: terms, verdict, now, &out)
    case .unserved:
      terms = nil
      isConnected = false
      step = .idle
      if phase == .pending || phase == .writing { move(to: .pending, "NotServed", Self.notServed, &out) }
    case .connected: connect(now, &out)
    case .disconnected:
      guard isConnected else { return }
      isConnected = false
      step = .idle
      if phase == .pending || phase == .writing { move(to: .pending, "NotConnected", Self.notConnected, &out) }
    case .interrupted: resume(now, &out)
    case .read(let ticket, let result):
      guard case .reading(ticket, let purpose) = step else { return }
      step = .idle
      conclude(purpose, result, now, &out)
    case .written(let ticket, let error):
      guard case .writing(ticket) = step else { return }
      step = .idle
      conclude(error, now, &out)
    case .unsent(let ticket):
      guard case .writing(ticket) = step else { return }
      attempts -= 1
      begin(now, isNew: false, &out)
    case .gated(let gate): take(gate, now, &out)
    case .released:
      guard isReady else { return }
      step = .idle
      write(now, isReleased: true, &out)
    case .reported(let reading): observe(reading, now, &out)
    case .tick: tick(now, &out)
    }
  }

  static let notServed = "no model and no connection serve this property yet"
  static let notConnected = "waits for the device to be connected"

  // MARK: Wishes and terms

  /// Gives the present wish its verdict and starts on it.
  private mutating func judge(
    _ verdict: Result<Value, DesiredRejection>?, _ now: Timestamp, _ out: inout [Directive]
  ) {
    switch verdict {
    case nil:
      target = nil
      move(to: .pending, "NotServed", Self.notServed, &out)
    case .failure(let rejection)?:
      target = nil
      move(to: .rejected, rejection.reason, rejection.message, &out)
    case .success(let value)?:
      target = value
      begin(now, isNew: true, &out)
    }
  }

  private mutating func serve(
    on terms: Terms, _ verdict: Result<Value, DesiredRejection>?, _ now: Timestamp, _ out: inout [Directive]
  ) {
    let before = (terms: self.terms, target: target)
    self.terms = terms
    guard wish != nil, let verdict else { return }
    guard case .success(let value) = verdict else {
      step = .idle
      judge(verdict, now, &out)
      return
    }
    target = value
    if terms.hold == nil, self.phase == .held { mayApply = true }
    let isReleased = terms.hold == nil && ["WritesDisabled", "ReadOnlyGateway", "LeaseLost"].contains(reason)
    switch phase {
    case .rejected where reason == "Refused": break
    case .rejected: begin(now, isNew: true, &out)
    case .held where isReleased: begin(now, isNew: true, &out)
    case .pending, .writing, .failed:
      if terms.hold != nil || before.terms == nil || before.target != target {
        step = .idle
        begin(now, isNew: phase != .failed, &out)
      }
    case .confirmed where before.target != nil && before.target != target:
      begin(now, isNew: true, &out)
    case .confirmed, .expired, .held, nil: break
    }
  }

  // MARK: The link

  private mutating func connect(_ now: Timestamp, _ out: inout [Directive]) {
    guard !isConnected else { return }
    isConnected = true
    let isReconnection = hasMet
    hasMet = true
    guard wish != nil, let terms, target != nil else { return }
    mayApply =
      switch terms.rules.onReconnect {
      case .reapply: true
      case .reapplyIfNewer: !wasConfirmed
      case .hold: !isReconnection
      }
    switch phase {
    case .confirmed:
      guard terms.canRead else { return }
      isUnverified = true
      ask(.verify, &out)
    case .pending, .writing, .failed:
      attempts = 0
      failures = 0
      begin(now, isNew: false, &out)
    case .rejected, .expired, .held, nil: break
    }
  }

  private mutating func resume(_ now: Timestamp, _ out: inout [Directive]) {
    switch step {
    case .reading(_, .verify): ask(.verify, &out)
    case .reading(_, .drift): ask(.drift, &out)
    case .reading(_, .readback(let since, let deadline)): ask(.readback(since: since, deadline: deadline), &out)
    case .reading(_, .before): begin(now, isNew: false, &out)
    case .writing:
      // Whether the write arrived is unknown: the reading before the next one will tell.
      begin(now, isNew: false, &out)
    case .idle, .awaiting, .backingOff, .parked: break
    }
  }

  // MARK: Attempts

  /// Starts towards the target: holds, waits, reads or, where there is nothing to read, writes.
  mutating func begin(_ now: Timestamp, isNew: Bool, _ out: inout [Directive]) {
    guard let terms else { return move(to: .pending, "NotServed", Self.notServed, &out) }
    step = .idle
    if let hold = terms.hold { return move(to: .held, hold.reason, hold.message, &out) }
    let keepsPhase = phase == .failed && !isNew
    guard isConnected else {
      if !keepsPhase { move(to: .pending, "NotConnected", Self.notConnected, &out) }
      return
    }
    if isExpired(now) { return }
    if !keepsPhase { move(to: .pending, "", phase == .pending ? message : "", &out) }
    if terms.canRead {
      ask(.before, &out)
    } else if mayApply {
      write(now, &out)
    } else {
      holdAfterReconnection(&out)
    }
  }

  private func isExpired(_ now: Timestamp) -> Bool { expiry.map { now >= $0 } ?? false }

  private mutating func expireIfDue(_ now: Timestamp, _ out: inout [Directive]) {
    guard mayExpire, isExpired(now) else { return }
    expire(&out)
  }

  private mutating func expire(_ out: inout [Directive]) {
    // A read or write of this very step must not go out after all.
    out.removeAll {
      switch $0 {
      case .read, .write: true
      case .wakeAt, .transition: false
      }
    }
    step = .idle
    move(to: .expired, "Expired", "its time passed; set it again to apply it", &out)
  }

  private mutating func ask(_ purpose: ReadPurpose, _ out: inout [Directive]) {
    lastTicket += 1
    step = .reading(lastTicket, purpose)
    out.append(.read(lastTicket))
  }

  private mutating func write(_ now: Timestamp, isReleased: Bool = false, _ out: inout [Directive]) {
    guard let target else { return }
    if isExpired(now) { return expire(&out) }
    if let gate, !isReleased { return park(behind: gate, &out) }
    attempts += 1
    if phase != .failed { move(to: .writing, "", "", &out) }
    lastTicket += 1
    step = .writing(lastTicket)
    out.append(.write(lastTicket, target))
  }

  private mutating func confirm(_ now: Timestamp, _ message: String, _ out: inout [Directive]) {
    step = .idle
    failures = 0
    isUnverified = false
    mayApply = true
    wasConfirmed = true
    confirmedAt = now
    move(to: .confirmed, "", message, &out)
  }

  private mutating func holdAfterReconnection(_ out: inout [Directive]) {
    step = .idle
    let rule = terms?.rules.onReconnect.rawValue ?? ""
    move(
      to: .held, "Reconnected",
      "the device came back with another value and onReconnect is \(rule); set it again to apply it", &out)
  }

  private mutating func fail(_ why: String, _ cause: String, _ now: Timestamp, _ out: inout [Directive]) {
    guard let terms else { return }
    let pause: Duration
    if phase == .failed || attempts >= terms.rules.retries {
      failures += 1
      pause = Swift.min(.seconds(5) * (1 << Swift.min(failures - 1, 10)), Self.longestPause)
      move(to: .failed, why, cause, &out)
    } else {
      pause = Swift.min(.milliseconds(250) * (1 << Swift.min(attempts, 10)), .seconds(30))
      move(to: .pending, why, cause, &out)
    }
    step = .backingOff(until: now + pause)
  }

  // MARK: Answers

  private mutating func conclude(
    _ purpose: ReadPurpose, _ result: Result<Reading, DeviceError>, _ now: Timestamp, _ out: inout [Directive]
  ) {
    guard let target, let terms else { return }
    var seen: Value?
    var failure: DeviceError?
    switch result {
    case .success(let reading): seen = reading.quality == .good ? reading.value : nil
    case .failure(let error): failure = error
    }
    let holds = seen.map { terms.rules.holds(target, in: $0) } ?? false
    switch purpose {
    case .before:
      if holds { return confirm(now, "", &out) }
      if let failure, !failure.isPermanent {
        attempts += 1
        return fail(failure.reason, "cannot be read before it is written: \(failure.message)", now, &out)
      }
      guard mayApply else { return holdAfterReconnection(&out) }
      write(now, &out)
    case .verify:
      // Without a usable reading the next report decides.
      guard seen != nil else { return }
      isUnverified = false
      if holds {
        mayApply = true
        return
      }
      attempts = 0
      if let hold = terms.hold { return move(to: .held, hold.reason, hold.message, &out) }
      guard mayApply else { return holdAfterReconnection(&out) }
      write(now, &out)
    case .drift:
      guard let seen, !holds else { return }
      answerDrift(to: seen, terms, now, &out)
    case .readback(let since, let deadline):
      if holds { return confirm(now, "", &out) }
      if now >= deadline {
        return fail("NotConfirmed", notConfirmed(seen, failure), now, &out)
      }
      step = .awaiting(since: since, deadline: deadline, nextRead: now + readbackPause(terms.rules))
      if let seen { message = "reads \(seen.json), waits for \(target.json)" }
    }
  }

  private mutating func conclude(_ error: DeviceError?, _ now: Timestamp, _ out: inout [Directive]) {
    guard let terms else { return }
    if let error {
      if error.isPermanent { return move(to: .rejected, "Refused", error.message, &out) }
      return fail(error.reason, error.message, now, &out)
    }
    guard terms.canRead else { return confirm(now, "taken by the device, which cannot be read back", &out) }
    ask(.readback(since: now, deadline: now + terms.rules.confirmWithin), &out)
  }

  private mutating func answerDrift(to seen: Value, _ terms: Terms, _ now: Timestamp, _ out: inout [Directive]) {
    if isExpired(now) { return expire(&out) }
    if let hold = terms.hold { return move(to: .held, hold.reason, hold.message, &out) }
    guard terms.rules.onDrift == .reapply else {
      return move(to: .held, "Drifted", "the device changed it to \(seen.json); set it again to apply it", &out)
    }
    overwrites.removeAll { now - $0 >= Self.overwriteWindow }
    overwrites.append(now)
    guard overwrites.count < Self.overwriteLimit else {
      return move(
        to: .held, "Overwritten",
        "the device's value was changed \(overwrites.count) times within 10 min, last to \(seen.json); set it again to apply it",
        &out)
    }
    attempts = 0
    write(now, &out)
  }

  private func readbackPause(_ rules: WriteRules) -> Duration {
    Swift.max(.milliseconds(50), Swift.min(rules.confirmWithin / 10, .seconds(1)))
  }

  private func notConfirmed(_ seen: Value?, _ failure: DeviceError?) -> String {
    let wanted = target.map { "\($0.json)" } ?? ""
    if let failure { return "cannot be read back after writing \(wanted): \(failure.message)" }
    guard let seen else { return "no usable value can be read back after writing \(wanted)" }
    return "reads \(seen.json) after writing \(wanted)"
  }

  /// A report: may confirm what is on its way, and may contradict what is Confirmed.
  private mutating func observe(_ reading: Reading, _ now: Timestamp, _ out: inout [Directive]) {
    guard let target, let terms, reading.quality == .good, let value = reading.value else { return }
    let holds = terms.rules.holds(target, in: value)
    switch (phase, step) {
    case (.confirmed, .idle):
      if holds {
        isUnverified = false
        mayApply = true
      } else if isConnected, terms.canRead {
        // A poll that was under way may be older than the confirmation: a reading of its own decides.
        ask(isUnverified ? .verify : .drift, &out)
      }
    case (_, .awaiting(let since, _, _)) where holds && reading.gatewayTime >= since,
      (_, .reading(_, .readback(let since, _))) where holds && reading.gatewayTime >= since:
      confirm(now, "", &out)
    case (.pending, .backingOff), (.failed, .backingOff), (_, .parked):
      if holds { confirm(now, "", &out) }
    default: break
    }
  }

  private mutating func tick(_ now: Timestamp, _ out: inout [Directive]) {
    switch step {
    case .awaiting(let since, let deadline, let nextRead):
      // The last reading is asked for at the deadline itself, so that a late value still counts.
      guard now >= Swift.min(nextRead, deadline) else { return }
      ask(.readback(since: since, deadline: deadline), &out)
    case .backingOff(let until):
      guard now >= until else { return }
      begin(now, isNew: false, &out)
    case .idle, .reading, .writing, .parked: break
    }
  }

  mutating func move(
    to next: Phase?, _ reason: String, _ message: String, _ out: inout [Directive]
  ) {
    let from = phase
    let isNews = from != next || self.reason != reason
    phase = next
    self.reason = reason
    self.message = message
    if next == .rejected || next == .held || next == .expired { step = .idle }
    if isNews { out.append(.transition(Transition(from: from, to: next, reason: reason, message: message))) }
  }
}
