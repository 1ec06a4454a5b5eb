public import DeviceKit
internal import Dispatch
internal import Documents
internal import Synchronization

extension TwinStore {
  /// Has a command carried out by whoever serves the device, and returns its end or, after its timeout, what is known
  /// of it by then. `isRepeated`: its key was known, nothing was sent, and this is the outcome of the first.
  ///
  /// A command with a key is on disk (fsync) before it can be sent, and its outcome before it is returned; so even
  /// after a crash in between the same key never sends it again, and answers ``TwinCommandOutcome/State/unknown``.
  ///
  /// Throws ``TwinError/invalid(_:)`` for what the model forbids, ``TwinError/refused(_:)`` for what cannot be now.
  public func carryOut(
    _ command: TwinCommand, on device: DeviceKey
  ) async throws(TwinError) -> (outcome: TwinCommandOutcome, isRepeated: Bool) {
    let result = await withCheckedContinuation { continuation in
      queue.async { [self] in
        do throws(TwinError) {
          try begin(command, device) { outcome, isRepeated in
            continuation.resume(returning: Result<(TwinCommandOutcome, Bool), TwinError>.success((outcome, isRepeated)))
          }
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    let (outcome, isRepeated) = try result.get()
    return (outcome, isRepeated)
  }

  /// Says whether ``carryOut(_:on:)`` would take a command, without carrying it out.
  public func checkCommand(_ command: TwinCommand, on device: DeviceKey) throws(TwinError) {
    let result = state.withLock { state -> Result<Void, TwinError> in
      do throws(TwinError) {
        _ = try state.admit(command, device)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// On the queue, which makes looking a key up and storing it one step.
  private func begin(
    _ command: TwinCommand, _ device: DeviceKey, _ answer: @escaping @Sendable (TwinCommandOutcome, Bool) -> Void
  ) throws(TwinError) {
    if try answersFromMemory(command, device, answer) { return }
    let now = clock.now
    let admitted = state.withLock { state -> Result<(QueuedCommand, TwinCommit), TwinError> in
      do throws(TwinError) {
        let (twin, value) = try state.admit(command, device)
        var commit = TwinCommit()
        var queued = QueuedCommand(id: state.nextCommand, command: command, value: value)
        state.nextCommand += 1
        if let key = command.idempotencyKey {
          if !state.twins[twin].hasRow { state.claim(twin, &commit) }
          let row = CommandRow(
            device: state.twins[twin].rowID, key: key, property: command.property, value: command.value.description,
            by: command.user, time: now.nanoseconds, outcome: nil)
          queued.row = row
          commit.commands = [row]
        }
        return .success((queued, commit))
      } catch {
        return .failure(error)
      }
    }
    var (queued, commit) = try admitted.get()
    if let failure = write({ [commit] _ in commit }) { throw failure }
    queued.waiters = [{ answer($0, false) }]
    let id = queued.id
    let isEnqueued = locked { [queued] state in
      guard let twin = state.indexes[device] else { return false }
      state.enqueue(queued, twin)
      return true
    }
    guard isEnqueued else { throw .notFound(device) }
    queue.asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: command.timeout.nanoseconds))) { [weak self] in
      self?.timeOut(id, device)
    }
  }

  /// Whether the command's key was known: then it is answered, now or with the first one's end.
  private func answersFromMemory(
    _ command: TwinCommand, _ device: DeviceKey, _ answer: @escaping @Sendable (TwinCommandOutcome, Bool) -> Void
  ) throws(TwinError) -> Bool {
    guard let key = command.idempotencyKey,
      let rowID = state.withLock({ state in state.indexes[device].map { state.twins[$0].rowID } })
    else { return false }
    let found: CommandRow?
    do {
      found = try database.withLock { try $0?.command(key, of: rowID, now: clock.now) }
    } catch {
      throw .storage("\(error)")
    }
    guard let found else { return false }
    guard found.property == command.property, (try? JSONValue(parsing: found.value)) == command.value else {
      throw .refused(
        .init(
          reason: .keyReused,
          message: "the idempotency key was used for \(found.property)=\(found.value): take a new one"))
    }
    if let outcome = found.outcome.flatMap({ try? JSONValue(parsing: $0) }) {
      answer(TwinCommandOutcome(outcome), true)
      return true
    }
    let isJoined = state.withLock { state in
      guard let twin = state.indexes[device],
        let place = state.twins[twin].commands.firstIndex(where: { $0.command.idempotencyKey == key })
      else { return false }
      state.twins[twin].commands[place].waiters.append { answer($0, true) }
      return true
    }
    if !isJoined { answer(TwinCommandOutcome(state: .unknown, message: "its outcome could not be stored"), true) }
    return true
  }

  /// On the queue. What has been sent may still be answered; then the stored outcome is put right.
  private func timeOut(_ id: UInt64, _ device: DeviceKey) {
    let sent = state.withLock { state -> Bool? in
      guard let twin = state.indexes[device] else { return nil }
      return state.twins[twin].commands.first { $0.id == id }?.isTaken
    }
    guard let sent else { return }
    let message =
      sent
      ? "sent, and not answered in time; the device may have taken it" : "not sent in time, and will not be sent"
    finish(id, of: device, TwinCommandOutcome(state: .timedOut, message: message))
  }

  /// What came of a command that ``takeWork(_:)`` handed out: `error` nil, the device took it. `readback` is what the
  /// property was read as afterwards, if it was to be.
  public func complete(
    _ command: TwinWork.Command, of device: DeviceKey, _ error: DeviceError?,
    readback: Result<Reading, DeviceError>? = nil
  ) {
    var outcome = TwinCommandOutcome(state: .succeeded, message: "")
    if let error {
      // No answer is no refusal.
      outcome.state = Self.leavesOpen.contains(error.reason) ? .unknown : .failed
      outcome.message = error.message
    }
    switch readback {
    case .success(let reading)?:
      locked { $0.take(reading, command.property, of: device, now: clock.now) }
      outcome.reported = reading.quality == .good ? reading.value?.json : JSONValue?.none
      if outcome.reported == nil { outcome.message = "taken; no usable value can be read back: \(reading.cause)" }
    case .failure(let error)?: outcome.message = "taken; cannot be read back: \(error.message)"
    case nil: break
    }
    finish(command.id, of: device, outcome, late: command.row)
  }

  private static let leavesOpen: Set<String> = ["Timeout", "ConnectionLost", "NoAnswer"]

  /// Stores the outcome of a command with a key, then tells whoever waits. `late` is what is put right where nobody
  /// waits any more.
  func finish(_ id: UInt64, of device: DeviceKey, _ outcome: TwinCommandOutcome, late: CommandRow? = nil) {
    queue.async { [self] in
      let queued = state.withLock { $0.finish(id, of: device) }
      var outcome = outcome
      outcome.sentTime = queued?.sentTime
      outcome.endTime = clock.now
      if var row = queued?.row ?? late {
        row.outcome = outcome.json.description
        var commit = TwinCommit()
        commit.commands = [row]
        _ = write { _ in commit }
      }
      if let queued {
        record(queued.command, outcome, of: device)
      } else if let late, let value = try? JSONValue(parsing: late.value) {
        record(TwinCommand(property: late.property, value: value, user: late.by), outcome, of: device)
      }
      for waiter in queued?.waiters ?? [] { waiter(outcome) }
    }
  }
}
