package import DeviceKit
import Synchronization

extension ModbusSession {
  /// Writes neighbours that follow each other in one request; where the device refuses that, one by one, except that
  /// members of a group which one request can carry go in one or not at all. After the first write without an answer
  /// the rest is not sent. A pulse's coil is cleared again before this returns.
  package func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
    await writeLock.withLock {
      let link = link
      var results = [DeviceError?](repeating: nil, count: writes.count)
      var steps: [WriteStep] = []
      for (index, write) in writes.enumerated() {
        guard let binding = map.indexByName[write.property].map({ map.bindings[$0] }) else {
          results[index] = DeviceError(
            reason: "UnknownProperty", message: "the model has no property '\(write.property)'", isPermanent: true)
          continue
        }
        // A pulse that is begun is ended, whatever the fence then says: there must be time for both.
        if let fence, let length = binding.pulse, !fence.permits(writeWithin: length + connection.timeout * 4) {
          results[index] = WriteFence.refusal
          continue
        }
        do throws(DeviceError) {
          let power = try await scalePower(of: binding, on: link)
          steps.append(WriteStep(change: try binding.change(to: write.value, power: power), writes: [index]))
        } catch {
          results[index] = error
        }
      }
      let incomplete = Set(writes.indices.filter { results[$0] != nil }.compactMap { writes[$0].group })
      steps.removeAll { step in
        guard let group = writes[step.writes[0]].group, incomplete.contains(group) else { return false }
        results[step.writes[0]] = DeviceError(
          reason: "GroupIncomplete", message: "not sent, since another member of group '\(group)' cannot be")
        return true
      }
      var trouble: ModbusError?
      for step in WriteStep.coalesced(steps) {
        var parts = [step]
        if trouble == nil {
          guard let error = await carryOut(step.change, on: link) else { continue }
          guard step.writes.count > 1, error.provesLife else {
            note(error, for: [step], in: &results, trouble: &trouble)
            continue
          }
          // A device without the function for several registers can be told them singly alone.
          let keepsGroups = error != .exception(.illegalFunction)
          parts = WriteStep.coalesced(steps.filter { step.writes.contains($0.writes[0]) }) { left, right in
            let group = writes[left].group
            return keepsGroups && group != nil && group == writes[right].group
          }
          if parts == [step] {
            note(error, for: parts, in: &results, trouble: &trouble)
            continue
          }
        }
        for part in parts {
          if let trouble {
            for index in part.writes { results[index] = unsent(trouble) }
          } else if let error = await carryOut(part.change, on: link) {
            note(error, for: [part], in: &results, trouble: &trouble)
          }
        }
      }
      if let trouble { report(after: trouble, on: link) }
      await endPulses(of: writes, &results, on: link)
      return results
    }
  }

  private func note(
    _ error: ModbusError, for steps: [WriteStep], in results: inout [DeviceError?], trouble: inout ModbusError?
  ) {
    var told = error.deviceError(connection.description)
    if case .timeout = error { told.message += Self.mayHaveTaken }
    if case .connectionLost = error { told.message += Self.mayHaveTaken }
    for index in steps.flatMap(\.writes) { results[index] = told }
    if !error.provesLife { trouble = error }
  }

  private func unsent(_ trouble: ModbusError) -> DeviceError {
    var error = trouble.deviceError(connection.description)
    error.message += "; not sent, since the write before it had no answer"
    return error
  }

  /// Clears the coils of pulses that were set, each after its time; at once where the task is cancelled. A pulse that
  /// may have begun is ended too, so that no coil stays set.
  private func endPulses(of writes: [PropertyWrite], _ results: inout [DeviceError?], on link: any ModbusLink) async {
    var pulses: [(write: Int, binding: PropertyBinding, length: Duration)] = []
    for (index, write) in writes.enumerated() {
      guard let position = map.indexByName[write.property], let length = map.bindings[position].pulse,
        mayHaveBegun(results[index]), (try? map.bindings[position].codec.encodeBit(write.value)) == true
      else { continue }
      pulses.append((index, map.bindings[position], length))
    }
    var waited = Duration.zero
    for pulse in pulses.sorted(by: { $0.length < $1.length }) {
      try? await Task.sleep(for: pulse.length - waited)
      waited = pulse.length
      let error = await carryOut(.coils(address: Int(pulse.binding.address), [false]), on: link, isFenced: false)
      if let error, results[pulse.write] == nil {
        var told = error.deviceError(connection.description)
        told.message += "; the coil was set and may not have been cleared after its pulse"
        results[pulse.write] = told
      }
    }
  }

  /// Whether a write with this outcome may have reached the device.
  private func mayHaveBegun(_ outcome: DeviceError?) -> Bool {
    guard let outcome else { return true }
    return outcome.message.hasSuffix(Self.mayHaveTaken)
  }

  private static let mayHaveTaken = "; the device may have taken the write"

  // MARK: Functions

  private func carryOut(
    _ change: WriteStep.Change, on link: any ModbusLink, isFenced: Bool = true
  ) async -> ModbusError? {
    switch change {
    case .coils(let address, let values):
      let many = ModbusRequest.writeCoils(address: UInt16(address), values: values)
      guard values.count == 1 else { return await send([many], on: link, isFenced: isFenced) }
      return await send(
        [.writeCoil(address: UInt16(address), value: values[0]), many], on: link, isFenced: isFenced)
    case .registers(let address, let values):
      return await send(Self.choices(UInt16(address), values), on: link)
    case .bits(let address, let masks, let bits):
      return await setBits(UInt16(address), masks: masks, bits: bits, on: link)
    }
  }

  /// The functions that write `values`, best first. A value of several registers is never sent piece by piece: the
  /// device would act on a torn one.
  private static func choices(_ address: UInt16, _ values: [UInt16]) -> [ModbusRequest] {
    var choices: [ModbusRequest] = [.writeRegisters(address: address, values: values)]
    if values.count == 1 { choices.insert(.writeRegister(address: address, value: values[0]), at: 0) }
    if values.count <= 121 {
      choices.append(
        .readWriteRegisters(
          readAddress: address, readCount: UInt16(values.count), writeAddress: address, values: values))
    }
    return choices
  }

  /// Sends the first of `choices` that the device serves; exception 1 is remembered. Exception 5 says that the device
  /// has taken the write and works on it.
  private func send(
    _ choices: [ModbusRequest], on link: any ModbusLink, isFenced: Bool = true
  ) async -> ModbusError? {
    let refused = state.withLock { $0.writes.refused }
    let served = choices.filter { !refused.contains($0.functionCode) }
    var last: ModbusError?
    let possible = choices.filter { !traits.unsupported.contains($0.functionCode) }
    for request in served.isEmpty ? possible : served {
      switch await execute(request, on: link, isFenced: isFenced).result {
      case .success, .failure(.exception(.acknowledge)):
        state.withLock { _ = $0.writes.refused.remove(request.functionCode) }
        return nil
      case .failure(.exception(.illegalFunction)):
        state.withLock { _ = $0.writes.refused.insert(request.functionCode) }
        last = .exception(.illegalFunction)
      case .failure(let error): return error
      }
    }
    return last ?? .exception(.illegalFunction)
  }

  /// FC 22 for one register where the device has it; else reads the registers, changes the bits and writes them, while
  /// no other session of the link does the same. Registers of which every bit is given are written at once.
  private func setBits(
    _ address: UInt16, masks: [UInt16], bits: [UInt16], on link: any ModbusLink
  ) async -> ModbusError? {
    if masks.allSatisfy({ $0 == .max }) { return await send(Self.choices(address, bits), on: link) }
    if masks.count == 1, !state.withLock({ $0.writes.refused.contains(22) }) {
      let error = await send([.maskWrite(address: address, and: ~masks[0], or: bits[0])], on: link)
      guard error == .exception(.illegalFunction) else { return error }
    }
    return await link.modification.withLock {
      switch await execute(.read(.holding, address: address, count: UInt16(masks.count)), on: link).result {
      case .success(.registers(let registers)):
        let changed = registers.indices.map { registers[$0] & ~masks[$0] | bits[$0] }
        return await send(Self.choices(address, changed), on: link)
      case .success: return .notModbus("an answer to another request")
      case .failure(let error): return error
      }
    }
  }

  /// The power of ten that a property's scale factor is at present; 0 for a property without one.
  private func scalePower(of binding: PropertyBinding, on link: any ModbusLink) async throws(DeviceError) -> Int {
    guard let place = binding.codec.scaleFactor, binding.property.access.canWrite else { return 0 }
    switch await execute(.read(binding.table, address: place.address, count: 1), on: link).result {
    case .success(.registers(let registers)):
      do throws(BadRegisters) {
        return try ScaleFactorPlace.power(registers[0], order: binding.codec.order)
      } catch {
        throw DeviceError(reason: "NotAvailable", message: "property '\(binding.property.name)': \(error.cause)")
      }
    case .success: throw ModbusError.notModbus("an answer to another request").deviceError(connection.description)
    case .failure(let error): throw error.deviceError(connection.description)
    }
  }
}
