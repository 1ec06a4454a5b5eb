internal import DeviceKit
internal import Documents

extension TwinState {
  /// Commands of one device that wait or are being carried out.
  static let commandLimit = 16

  /// Says whether a command may be carried out, and its typed value.
  func admit(_ command: TwinCommand, _ device: DeviceKey) throws(TwinError) -> (twin: Int, value: Value) {
    guard let twin = indexes[device] else { throw .notFound(device) }
    guard twins[twin].isAttached else {
      throw .refused(.init(reason: .notServed, message: "the device is not served"))
    }
    guard let property = twins[twin].indexes[command.property], twins[twin].properties[property].definition != nil
    else {
      throw .invalid([.init(property: command.property, message: validator.unknown(command.property).message)])
    }
    let value: Value
    switch verdict(twin, property, of: command.value) {
    case .success(let typed)?: value = typed
    case .failure(let rejection)?: throw .invalid([.init(property: command.property, message: rejection.message)])
    case nil: throw .notFound(device)
    }
    if command.verifies, twins[twin].properties[property].definition?.access.canRead == false {
      throw .invalid([
        .init(property: command.property, message: "\(command.property) cannot be read: leave verify out")
      ])
    }
    if let refusal = refusal(of: command.property, value, twin, property) { throw .refused(refusal) }
    guard twins[twin].isConnected else {
      throw .refused(.init(reason: .notConnected, message: "the device is not connected"))
    }
    guard twins[twin].commands.count < Self.commandLimit else {
      throw .refused(
        .init(reason: .tooMany, message: "\(Self.commandLimit) commands of the device are waiting already"))
    }
    return (twin, value)
  }

  /// What forbids a command whose value is good.
  private func refusal(of name: String, _ value: Value, _ twin: Int, _ property: Int) -> TwinCommandRefusal? {
    if isReadOnlyGateway {
      return .init(reason: .readOnlyGateway, message: DesiredState.WriteHold.readOnlyGateway.message)
    }
    guard twins[twin].writesEnabled else {
      return .init(reason: .writesDisabled, message: DesiredState.WriteHold.writesDisabled.message)
    }
    if twins[twin].isLeaseLost {
      return .init(reason: .leaseLost, message: DesiredState.WriteHold.leaseLost.message)
    }
    let machine = twins[twin].properties[property].machine
    if let wish = machine.wish, machine.target != value {
      return .init(
        reason: .hasDesiredValue,
        message: "\(name) is desired to be \(wish.value) by \(wish.source): change or withdraw that instead")
    }
    return nil
  }

  mutating func enqueue(_ command: QueuedCommand, _ twin: Int) {
    twins[twin].commands.append(command)
    twins[twin].wakeup.signal()
  }

  /// The next command to be sent, unless one is being carried out. What is forbidden by now ends unsent.
  mutating func takeCommand(_ twin: Int, now: Timestamp) -> TwinWork.Command? {
    guard twins[twin].isConnected, !twins[twin].commands.isEmpty, !twins[twin].commands.contains(where: \.isTaken)
    else { return nil }
    let device = twins[twin].key
    while let place = twins[twin].commands.firstIndex(where: { endedCommands[$0.id] == nil }) {
      let queued = twins[twin].commands[place]
      let name = queued.command.property
      guard let property = twins[twin].indexes[name] else {
        end(queued.id, of: device, .failed, "not sent: the model has no property \(name) any more")
        continue
      }
      if let refusal = refusal(of: name, queued.value, twin, property) {
        end(queued.id, of: device, .failed, "not sent: \(refusal.message)")
        continue
      }
      twins[twin].commands[place].isTaken = true
      twins[twin].commands[place].sentTime = now
      return TwinWork.Command(
        id: queued.id, property: name, value: queued.value,
        from: value(at: Int(twins[twin].properties[property].point.index)),
        source: .command(user: queued.command.user), verifies: queued.command.verifies, row: queued.row)
    }
    return nil
  }

  private mutating func end(
    _ id: UInt64, of device: DeviceKey, _ state: TwinCommandOutcome.State, _ message: String
  ) {
    endedCommands[id] = (device, TwinCommandOutcome(state: state, message: message))
  }

  /// Ends what an earlier executor took and did not answer.
  mutating func interruptCommands(_ twin: Int) {
    for queued in twins[twin].commands where queued.isTaken {
      end(
        queued.id, of: twins[twin].key, .unknown,
        "the session ended before the device answered; it may have taken the command")
    }
  }

  /// Removes a command that has come to its end. Nil: it has ended before.
  mutating func finish(_ id: UInt64, of device: DeviceKey) -> QueuedCommand? {
    guard let twin = indexes[device], let place = twins[twin].commands.firstIndex(where: { $0.id == id }) else {
      return nil
    }
    twins[twin].wakeup.signal()
    return twins[twin].commands.remove(at: place)
  }
}
