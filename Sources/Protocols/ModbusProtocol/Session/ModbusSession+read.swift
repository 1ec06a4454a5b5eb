package import DeviceKit
import Documents
import Synchronization

/// A block of a plan with what its poll needs each time.
final class PlannedBlock: Sendable {
  let block: ReadBlock
  let request: ModbusRequest
  /// Nil where items have to be decoded one by one.
  let decoder: BlockDecoder?

  init(_ block: ReadBlock, _ map: RegisterMap, _ points: [PointID]) {
    self.block = block
    request = block.request
    decoder = BlockDecoder(block, map.bindings, points)
  }
}

extension ModbusSession {
  package func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
    var answers: [String: Result<Reading, DeviceError>] = [:]
    var items: [ReadItem] = []
    for name in Set(properties) {
      if let index = map.indexByName[name] {
        if map.bindings[index].property.access.canRead {
          items.append(ReadItem(index, map.bindings[index]))
        } else {
          answers[name] = .failure(
            DeviceError(reason: "AccessDenied", message: "property '\(name)' is write-only", isPermanent: true))
        }
      } else {
        answers[name] = .failure(
          DeviceError(reason: "UnknownProperty", message: "the model has no property '\(name)'", isPermanent: true))
      }
    }
    let blocks = state.withLock { $0.planner.plan(items) }.map { PlannedBlock($0, map, points) }
    let link = link
    let batch = await read(blocks, on: link)
    let names = Dictionary(items.map { (points[$0.item], map.bindings[$0.item].property.name) }) { first, _ in first
    }
    for index in 0..<batch.count {
      if let name = names[batch.points[index]] { answers[name] = .success(batch.reading(at: index)) }
    }
    return answers
  }

  /// Reads the blocks, as many at once as the link's window has room for: a sample for each item. Once the device or its
  /// link does not answer, the rest is not asked for.
  func read(_ blocks: [PlannedBlock], on link: any ModbusLink) async -> SampleBatch {
    var batch = SampleBatch()
    // A single block's columns are taken over whole.
    if blocks.count > 1 { batch.reserveCapacity(blocks.reduce(0) { $0 + $1.block.items.count }) }
    // What refused blocks were parted into, the last one first, goes before the others.
    var parts: [PlannedBlock] = []
    var whole = blocks[...]
    var trouble: ModbusError?
    var isAlive = false
    var isRead = false
    let begin = link.now
    let window = blocks.count > 1 ? link.window : 1
    while trouble == nil, let first = parts.popLast() ?? whole.popFirst() {
      if window == 1 || parts.isEmpty && whole.isEmpty {
        let reply = await execute(first.request, on: link)
        take(reply, of: first, into: &batch, &parts, &trouble, &isAlive, &isRead)
      } else {
        var wave = [first]
        while wave.count < window, let next = parts.popLast() ?? whole.popFirst() { wave.append(next) }
        let replies = await executeAll(wave, on: link)
        for (block, reply) in zip(wave, replies) {
          take(reply, of: block, into: &batch, &parts, &trouble, &isAlive, &isRead)
        }
      }
    }
    note(isRead, from: begin, to: link.now)
    if let trouble {
      for planned in Array(parts.reversed()) + whole { fail(planned.block, trouble, at: clock.now, in: &batch) }
      noteSilence(trouble, on: link)
      report(after: trouble, on: link)
    } else if isAlive {
      state.withLock { $0.silence.heard() }
      report(.connected)
    }
    return batch
  }

  /// Keeps what the device has been seen to refuse while it lets something be read.
  private func note(_ isRead: Bool, from begin: Int64, to end: Int64) {
    state.withLock { state in
      guard isRead else { return state.proof.nothingWasRead() }
      guard state.proof.somethingWasRead(from: begin, to: end, &state.planner) else { return }
      state.forgetAt = links.refusals.keep(state.proof.proven, of: refusalKey)
    }
  }

  private func executeAll(_ wave: [PlannedBlock], on link: any ModbusLink) async -> [ModbusReply] {
    await withTaskGroup(of: (Int, ModbusReply).self) { group in
      for (index, block) in wave.enumerated() {
        group.addTask { (index, await self.execute(block.request, on: link)) }
      }
      var replies = [ModbusReply?](repeating: nil, count: wave.count)
      for await (index, reply) in group { replies[index] = reply }
      return replies.compactMap { $0 }
    }
  }

  private func take(
    _ reply: ModbusReply, of planned: PlannedBlock, into batch: inout SampleBatch, _ parts: inout [PlannedBlock],
    _ trouble: inout ModbusError?, _ isAlive: inout Bool, _ isRead: inout Bool
  ) {
    let block = planned.block
    switch reply.result {
    case .success(let response):
      (isAlive, isRead) = (true, true)
      state.withLock { state in
        if !state.unwell.isEmpty, let first = block.items.first { state.unwell.remove(first.item) }
      }
      if let decoder = planned.decoder, case .registers(let registers) = response,
        decoder.decode(registers, at: reply.arrival.nanoseconds, into: &batch)
      {
        return
      }
      decode(response, of: block, at: reply.arrival, into: &batch)
    case .failure(.exception(let exception)) where exception.isRefusalOfRange:
      isAlive = true
      if let smaller = state.withLock({ $0.planner.part(block) }) {
        parts.append(contentsOf: smaller.reversed().map { PlannedBlock($0, map, points) })
      } else {
        fail(block, .exception(exception), at: reply.arrival, in: &batch)
      }
    case .failure(let error):
      fail(block, error, at: reply.arrival, in: &batch)
      if error.provesLife { isAlive = true } else { trouble = error }
    }
  }

  /// A unit that keeps silent on a link that others use is left alone for growing spans: each try costs them its timeout.
  private func noteSilence(_ error: ModbusError, on link: any ModbusLink) {
    switch error {
    case .timeout, .exception:
      guard link.servesOthers(than: connection.unit, since: clock.now + .seconds(-60)) else { return }
      state.withLock { $0.silence.silent(for: connection.timeout, at: link.now) }
    case .unreachable, .connectionLost, .notModbus, .queueFull, .closed, .fenced: return
    }
  }

  private func decode(
    _ response: ModbusResponse, of block: ReadBlock, at time: Timestamp, into batch: inout SampleBatch
  ) {
    let now = time.nanoseconds
    for item in block.items {
      let (codec, point) = (map.bindings[item.item].codec, points[item.item])
      let start = item.address - block.address
      let decoded: RegisterCodec.Decoded
      switch response {
      case .registers(let registers): decoded = codec.decode(registers[start..<start + item.length])
      case .bits(let bits): decoded = codec.decode(bits[start..<start + item.length].map { $0 ? 1 : 0 }[...])
      case .written, .serverID, .identification: continue
      }
      switch decoded {
      case .value(let value):
        batch.append(point, value, quality: .good, sourceTime: now, gatewayTime: now)
      case .uncertain(let value, let cause):
        batch.append(point, value, quality: .uncertain, sourceTime: now, gatewayTime: now, cause: cause)
      case .bad(let cause):
        batch.append(point, nil, quality: .bad, sourceTime: now, gatewayTime: now, cause: cause)
      }
    }
  }

  /// A sample without a value for each item: Uncertain where something came back that was no answer, once after a good
  /// read; else Bad.
  private func fail(_ block: ReadBlock, _ error: ModbusError, at time: Timestamp, in batch: inout SampleBatch) {
    let cause = error.cause
    let wasWell = state.withLock { state in block.items.first.map { state.unwell.insert($0.item).inserted } ?? false }
    let quality: Quality = wasWell && error.isGarbage ? .uncertain : .bad
    for item in block.items {
      batch.append(
        points[item.item], nil, quality: quality, sourceTime: time.nanoseconds,
        gatewayTime: time.nanoseconds, cause: cause)
    }
  }
}
