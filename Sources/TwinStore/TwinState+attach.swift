internal import DeviceKit
internal import Documents

extension TwinState {
  /// Gives a twin the properties of its model. What is still of the same type keeps its reading, every wish is judged
  /// anew; repeating it changes nothing.
  mutating func attach(
    _ key: DeviceKey, properties: [(PropertyDefinition, WriteRules)], writesEnabled: Bool, now: Timestamp
  ) {
    let twin = twinIndex(making: key, now: now)
    twins[twin].properties.reserveCapacity(properties.count)
    let hold = writeHold(twin, writesEnabled: writesEnabled)
    var isChanged = !twins[twin].isAttached || twins[twin].writesEnabled != writesEnabled
    twins[twin].isAttached = true
    twins[twin].writesEnabled = writesEnabled
    var order: [Int] = []
    var known: Set<Int> = []
    var ruled: [(index: Int, rules: WriteRules)] = []
    for (definition, rules) in properties {
      let property = propertyIndex(making: definition.name, of: twin)
      guard known.insert(property).inserted else { continue }
      order.append(property)
      ruled.append((property, rules))
    }
    let formerOrder = twins[twin].writeOrder
    twins[twin].writeOrder = TwinWriteOrder(ruled, indexes: twins[twin].indexes)
    let gated = Set(twins[twin].writeOrder.gated.map(\.property))
    for (property, _) in formerOrder.gated where !gated.contains(property) {
      feed(.gated(nil), twin: twin, property: property, now: now)
    }
    withGatesShut(twin, now: now) { state in
      state.attach(properties, twin, order: order, hold: hold, isChanged: &isChanged, now: now)
    }
    if twins[twin].order != order {
      twins[twin].order = order
      isChanged = true
    }
    guard isChanged else { return }
    twins[twin].version = bump()
    touch(twin, .shape)
  }

  private func writeHold(_ twin: Int, writesEnabled: Bool) -> DesiredState.WriteHold? {
    if isReadOnlyGateway { return .readOnlyGateway }
    guard writesEnabled else { return .writesDisabled }
    return twins[twin].isLeaseLost ? .leaseLost : nil
  }

  /// Wishes of an attached twin are Held, or go on.
  mutating func hold(_ key: DeviceKey, isLeaseLost: Bool, now: Timestamp) {
    guard let twin = indexes[key], twins[twin].isLeaseLost != isLeaseLost else { return }
    twins[twin].isLeaseLost = isLeaseLost
    guard twins[twin].isAttached else { return }
    let hold = writeHold(twin, writesEnabled: twins[twin].writesEnabled)
    withGatesShut(twin, now: now) { state in
      for property in state.twins[twin].properties.indices {
        guard var terms = state.twins[twin].properties[property].machine.terms, terms.hold != hold else { continue }
        terms.hold = hold
        state.apply(.served(terms, state.verdict(twin, property)), twin: twin, property: property, now: now)
      }
    }
    twins[twin].version = bump()
    touch(twin, .states)
  }

  private mutating func attach(
    _ properties: [(PropertyDefinition, WriteRules)], _ twin: Int, order: [Int], hold: DesiredState.WriteHold?,
    isChanged: inout Bool, now: Timestamp
  ) {
    let kept = Set(order)
    var left = kept
    for (definition, rules) in properties {
      let property = propertyIndex(making: definition.name, of: twin)
      guard left.remove(property) != nil else { continue }
      let previous = twins[twin].properties[property].definition
      let terms = DesiredState.Terms(rules: rules, canRead: definition.access.canRead, hold: hold)
      if previous != definition {
        isChanged = true
        twins[twin].properties[property].definition = definition
      }
      configure(slot: Int(twins[twin].properties[property].point.index), for: definition)
      if previous != definition || twins[twin].properties[property].machine.terms != terms {
        apply(.served(terms, verdict(twin, property)), twin: twin, property: property, now: now)
      }
      if twins[twin].isConnected { apply(.connected, twin: twin, property: property, now: now) }
    }
    for property in twins[twin].properties.indices where !kept.contains(property) {
      slots[Int(twins[twin].properties[property].point.index)].flags.remove(.accepts)
      if twins[twin].properties[property].definition != nil { isChanged = true }
      twins[twin].properties[property].definition = nil
      guard twins[twin].properties[property].machine.wish != nil else { continue }
      let terms = DesiredState.Terms(rules: WriteRules(), hold: hold)
      if twins[twin].properties[property].machine.phase != .rejected {
        apply(.served(terms, verdict(twin, property)), twin: twin, property: property, now: now)
      }
    }
  }

  /// Prepares a slot for values of the property's type; a value of another type is forgotten.
  private mutating func configure(slot index: Int, for definition: PropertyDefinition) {
    let expected: SampleKind =
      switch definition.type {
      case .boolean: .boolean
      case .integer: .integer
      case .number: .number
      case .string, .object, .array: .side
      }
    slots[index].flags.insert(.accepts)
    slots[index].group = group(every: definition.persistEvery)
    slots[index].expected = expected
    if definition.keepsReported { slots[index].flags.insert(.kept) } else { slots[index].flags.remove(.kept) }
    let isKept =
      switch (slots[index].kind, definition.type) {
      case (.none, _), (.boolean, .boolean), (.integer, .integer), (.unsigned, .integer), (.number, .number): true
      case (.side, .string): if case .string? = sides[UInt32(index)] { true } else { false }
      case (.side, .object): if case .object? = sides[UInt32(index)] { true } else { false }
      case (.side, .array):
        if case .object(let json)? = sides[UInt32(index)] { Value(json, for: definition) != nil } else { false }
      default: false
      }
    guard !isKept else { return }
    slots[index].kind = .none
    slots[index].quality = .bad
    sides[UInt32(index)] = nil
    causes[UInt32(index)] = "not read since the model changed the property's type"
    slots[index].flags.insert(.hasCause)
  }

  mutating func detach(_ key: DeviceKey, now: Timestamp) {
    guard let twin = indexes[key], twins[twin].isAttached else { return }
    setConnected(key, false, now: now)
    twins[twin].isAttached = false
    for property in twins[twin].properties.indices {
      slots[Int(twins[twin].properties[property].point.index)].flags.remove(.accepts)
      apply(.unserved, twin: twin, property: property, now: now)
    }
    twins[twin].version = bump()
    touch(twin, .states)
  }

  /// When the gateway last read, was told or was asked something of a device, or made its twin.
  func lastHeard(of twin: Int) -> Timestamp {
    twins[twin].properties.reduce(twins[twin].created) { latest, property in
      let read = Timestamp(nanoseconds: slots[Int(property.point.index)].gatewayTime)
      return Swift.max(latest, read, property.machine.wish?.time ?? read)
    }
  }

  mutating func remove(_ key: DeviceKey) {
    guard let twin = indexes.removeValue(forKey: key) else { return }
    for property in twins[twin].properties {
      let point = property.point.index
      slots[Int(point)] = TwinSlot()
      history.forget(point)
      sides[point] = nil
      causes[point] = nil
    }
    if twins[twin].hasRow {
      removedRows.append(twins[twin].rowID)
      wantsCommit = true
    }
    lastRemoval = bump()
    touch(twin, .removed)
    twins[twin].wakeup.signal()
    twins[twin].isPresent = false
    twins[twin].properties = []
    twins[twin].indexes = [:]
    twins[twin].work = [:]
    freeTwins.append(twin)
  }

  /// While there is no link the values are at best Uncertain; each is Good again with its next good sample.
  mutating func setConnected(_ key: DeviceKey, _ isConnected: Bool, now: Timestamp) {
    guard let twin = indexes[key], twins[twin].isAttached, twins[twin].isConnected != isConnected else { return }
    twins[twin].isConnected = isConnected
    let version = bump()
    withGatesShut(twin, now: now) { state in
      for property in state.twins[twin].properties.indices {
        let point = Int(state.twins[twin].properties[property].point.index)
        if !isConnected, state.slots[point].quality == .good, !state.slots[point].flags.contains(.stale) {
          state.slots[point].flags.insert(.stale)
          state.slots[point].version = version
        }
        state.apply(isConnected ? .connected : .disconnected, twin: twin, property: property, now: now)
      }
    }
    twins[twin].version = self.version
    touch(twin, [.states, .values])
  }
}
