package import DeviceKit
import Synchronization

extension ModbusSession {
  /// Writes neighbours that follow each other in one request; where the device refuses that, one by one, except that
  /// members of a group which one request can carry go in one or not at all. After the first write without an answer
  /// the rest is not sent.
  package func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
    await writeLock.withLock {
      var results = [DeviceError?](repeating: nil, count: writes.count)
      var steps: [WriteStep] = []
      for (index, write) in writes.enumerated() {
        guard let binding = indexByName[write.property].map({ bindings[$0] }) else {
          results[index] = DeviceError(
            reason: "UnknownProperty", message: "the model has no property '\(write.property)'", isPermanent: true)
          continue
        }
        do throws(DeviceError) {
          steps.append(WriteStep(change: try binding.change(to: write.value), writes: [index]))
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
          guard let error = await carryOut(step.change) else { continue }
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
          } else if let error = await carryOut(part.change) {
            note(error, for: [part], in: &results, trouble: &trouble)
          }
        }
      }
      if let trouble { report(after: trouble) }
      return results
    }
  }

  private func note(
    _ error: ModbusError, for steps: [WriteStep], in results: inout [DeviceError?], trouble: inout ModbusError?
  ) {
    var told = error.deviceError(connection.description)
    if case .timeout = error { told.message += "; the device may have taken the write" }
    if case .connectionLost = error { told.message += "; the device may have taken the write" }
    for index in steps.flatMap(\.writes) { results[index] = told }
    if !error.provesLife { trouble = error }
  }

  private func unsent(_ trouble: ModbusError) -> DeviceError {
    var error = trouble.deviceError(connection.description)
    error.message += "; not sent, since the write before it had no answer"
    return error
  }

  // MARK: Functions

  private func carryOut(_ change: WriteStep.Change) async -> ModbusError? {
    switch change {
    case .coils(let address, let values):
      let many = ModbusRequest.writeCoils(address: UInt16(address), values: values)
      guard values.count == 1 else { return await send([many]) }
      return await send([.writeCoil(address: UInt16(address), value: values[0]), many])
    case .registers(let address, let values):
      // A value of several registers is never sent piece by piece: the device would act on a torn one.
      let many = ModbusRequest.writeRegisters(address: UInt16(address), values: values)
      guard values.count == 1 else { return await send([many]) }
      return await send([.writeRegister(address: UInt16(address), value: values[0]), many])
    case .bits(let address, let mask, let bits): return await setBits(UInt16(address), mask: mask, bits: bits)
    }
  }

  /// Sends the first of `choices` that the device serves; exception 1 is remembered.
  private func send(_ choices: [ModbusRequest]) async -> ModbusError? {
    let refused = state.withLock { $0.writes.refused }
    let served = choices.filter { !refused.contains($0.functionCode) }
    var last: ModbusError?
    for request in served.isEmpty ? choices : served {
      switch await execute(request).result {
      case .success:
        state.withLock { _ = $0.writes.refused.remove(request.functionCode) }
        return nil
      case .failure(.exception(.illegalFunction)):
        state.withLock { _ = $0.writes.refused.insert(request.functionCode) }
        last = .exception(.illegalFunction)
      case .failure(let error): return error
      }
    }
    return last
  }

  /// FC 22 where the device has it; else reads the register, changes the bits and writes it.
  private func setBits(_ address: UInt16, mask: UInt16, bits: UInt16) async -> ModbusError? {
    if !state.withLock({ $0.writes.refused.contains(22) }) {
      let error = await send([.maskWrite(address: address, and: ~mask, or: bits)])
      guard error == .exception(.illegalFunction) else { return error }
    }
    switch await execute(.read(.holding, address: address, count: 1)).result {
    case .success(.registers(let registers)):
      let changed = registers[0] & ~mask | bits
      return await send([
        .writeRegister(address: address, value: changed), .writeRegisters(address: address, values: [changed]),
      ])
    case .success: return .notModbus("an answer to another request")
    case .failure(let error): return error
    }
  }
}
