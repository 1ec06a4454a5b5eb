package import DeviceKit
import Documents
import Synchronization

/// One device behind a link: polls its properties in planned blocks, writes, reads back.
package final class ModbusSession: DeviceSession {
  let device: DeviceKey
  let connection: ModbusConnection
  let bindings: [PropertyBinding]
  let indexByName: [String: Int]
  let clock: WallClock
  let writeLock = AsyncLock()
  private let feed: any DeviceFeed
  private let links: LinkDirectory

  struct State {
    var link: (any ModbusLink)?
    var planner: ReadPlanner
    var reported: ConnectionState?
    var writes = WriteSupport()
    var overruns: UInt64 = 0
  }
  let state: Mutex<State>

  /// How often a device without a readable property is asked whether it is there.
  static let livenessPeriod = Duration.seconds(10)
  static let busyPause = Duration.milliseconds(100)

  package init(_ request: SessionRequest, feed: any DeviceFeed, links: LinkDirectory, clock: WallClock)
    throws(DeviceError)
  {
    device = request.device
    let connection = try ModbusConnection(request.connection)
    self.connection = connection
    var bindings: [PropertyBinding] = []
    var indexByName: [String: Int] = [:]
    for (property, point) in zip(request.properties, request.points) {
      indexByName[property.name] = bindings.count
      bindings.append(try PropertyBinding(property, point: point))
    }
    self.bindings = bindings
    self.indexByName = indexByName
    self.feed = feed
    self.links = links
    self.clock = clock
    // A TCP link is held from now on, so that a scan finds it; a serial line starts its thread with the first request.
    switch connection.medium {
    case .tcp(let endpoint, let framing):
      let link = links.tcp(endpoint, framing: framing)
      state = Mutex(State(link: link, planner: ReadPlanner(limits: link.limits)))
    case .serial: state = Mutex(State(planner: ReadPlanner(limits: .serial)))
    }
  }

  /// How many polling periods passed unread, since the device or its link was too slow.
  package var overruns: UInt64 { state.withLock { $0.overruns } }

  var link: any ModbusLink {
    if let link = state.withLock({ $0.link }) { return link }
    let link: any ModbusLink =
      switch connection.medium {
      case .tcp(let endpoint, let framing): links.tcp(endpoint, framing: framing)
      case .serial(let path, let settings): SerialLink(line: links.serial(path), settings: settings)
      }
    state.withLock { $0.link = link }
    return link
  }

  // MARK: Polling

  package func run() async {
    report(.connecting)
    let groups = pollGroups()
    let periods = groups.isEmpty ? [Self.livenessPeriod] : groups.map(\.period)
    let clock = ContinuousClock()
    let origin = clock.now
    var schedule = PollSchedule(periods: periods, start: 0, jitter: .random(in: 0..<1))
    var plans: [[ReadBlock]] = []
    var planned = -1
    while !Task.isCancelled, let next = schedule.next {
      do { try await clock.sleep(until: origin + .nanoseconds(next)) } catch { break }
      let due = schedule.take(at: (clock.now - origin).nanoseconds)
      state.withLock { $0.overruns = schedule.overruns }
      guard !groups.isEmpty else {
        await checkLife()
        continue
      }
      let learned = state.withLock { $0.planner.learned }
      if learned != planned {
        plans = state.withLock { state in groups.map { state.planner.plan($0.items) } }
        planned = learned
      }
      let batch = await read(due.flatMap { plans[$0] })
      if !Task.isCancelled { await feed.deliver(batch) }
    }
  }

  private struct PollGroup {
    var period: Duration
    var items: [ReadItem]
  }

  private func pollGroups() -> [PollGroup] {
    var items: [Duration: [ReadItem]] = [:]
    for (index, binding) in bindings.enumerated() where binding.property.access.canRead {
      items[binding.property.pollEvery, default: []].append(readItem(index))
    }
    return items.sorted { $0.key < $1.key }.map { PollGroup(period: $0.key, items: $0.value) }
  }

  private func readItem(_ index: Int) -> ReadItem {
    let binding = bindings[index]
    return ReadItem(item: index, table: binding.table, address: Int(binding.address), length: binding.length)
  }

  /// One harmless read: whatever the device answers, it is there.
  private func checkLife() async {
    let reply = await execute(.read(.holding, address: 0, count: 1))
    switch reply.result {
    case .success: report(.connected)
    case .failure(let error): report(after: error)
    }
  }

  package func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
    var answers: [String: Result<Reading, DeviceError>] = [:]
    var items: [ReadItem] = []
    for name in Set(properties) {
      if let index = indexByName[name] {
        if bindings[index].property.access.canRead {
          items.append(readItem(index))
        } else {
          answers[name] = .failure(
            DeviceError(reason: "AccessDenied", message: "property '\(name)' is write-only", isPermanent: true))
        }
      } else {
        answers[name] = .failure(
          DeviceError(reason: "UnknownProperty", message: "the model has no property '\(name)'", isPermanent: true))
      }
    }
    let blocks = state.withLock { $0.planner.plan(items) }
    let batch = await read(blocks)
    let names = Dictionary(items.map { (bindings[$0.item].point, bindings[$0.item].property.name) }) { first, _ in first
    }
    for index in 0..<batch.count {
      if let name = names[batch.points[index]] { answers[name] = .success(batch.reading(at: index)) }
    }
    return answers
  }

  /// Reads the blocks one after the other: a sample for each item, Bad where there is no value. Once the device or its
  /// link does not answer, the rest is not asked for.
  private func read(_ blocks: [ReadBlock]) async -> SampleBatch {
    var batch = SampleBatch()
    batch.reserveCapacity(blocks.reduce(0) { $0 + $1.items.count })
    var pending = Array(blocks.reversed())
    var trouble: ModbusError?
    var isAlive = false
    while let block = pending.popLast() {
      if let trouble {
        fail(block, trouble, at: clock.now, in: &batch)
        continue
      }
      let reply = await execute(block.request)
      switch reply.result {
      case .success(let response):
        isAlive = true
        decode(response, of: block, at: reply.arrival, into: &batch)
      case .failure(.exception(let exception)) where exception.isRefusalOfRange:
        isAlive = true
        if let parts = state.withLock({ $0.planner.part(block) }) {
          pending.append(contentsOf: parts.reversed())
        } else {
          fail(block, .exception(exception), at: reply.arrival, in: &batch)
        }
      case .failure(let error):
        fail(block, error, at: reply.arrival, in: &batch)
        if error.provesLife { isAlive = true } else { trouble = error }
      }
    }
    if let trouble { report(after: trouble) } else if isAlive { report(.connected) }
    return batch
  }

  private func decode(
    _ response: ModbusResponse, of block: ReadBlock, at time: Timestamp, into batch: inout SampleBatch
  ) {
    let now = time.nanoseconds
    for item in block.items {
      let binding = bindings[item.item]
      let start = item.address - block.address
      let decoded: RegisterCodec.Decoded
      switch response {
      case .registers(let registers): decoded = binding.codec.decode(registers[start..<start + item.length])
      case .bits(let bits): decoded = binding.codec.decode([bits[start] ? 1 : 0])
      case .written, .serverID, .identification: continue
      }
      switch decoded {
      case .value(let value):
        batch.append(binding.point, value, quality: .good, sourceTime: now, gatewayTime: now)
      case .uncertain(let value, let cause):
        batch.append(binding.point, value, quality: .uncertain, sourceTime: now, gatewayTime: now, cause: cause)
      case .bad(let cause):
        batch.append(binding.point, nil, quality: .bad, sourceTime: now, gatewayTime: now, cause: cause)
      }
    }
  }

  private func fail(_ block: ReadBlock, _ error: ModbusError, at time: Timestamp, in batch: inout SampleBatch) {
    let cause = error.cause
    for item in block.items {
      batch.append(
        bindings[item.item].point, nil, quality: .bad, sourceTime: time.nanoseconds, gatewayTime: time.nanoseconds,
        cause: cause)
    }
  }

  // MARK: Link

  /// Sends a request; one that the device is too busy for goes out once more after a pause.
  func execute(_ request: ModbusRequest) async -> ModbusReply {
    let reply = await link.execute(request, unit: connection.unit, timeout: connection.timeout)
    guard case .failure(.exception(.serverDeviceBusy)) = reply.result else { return reply }
    do { try await Task.sleep(for: Self.busyPause) } catch { return reply }
    return await link.execute(request, unit: connection.unit, timeout: connection.timeout)
  }

  func report(after error: ModbusError) {
    if error.provesLife { return report(.connected) }
    switch error {
    case .queueFull, .closed: return
    case .exception, .timeout, .unreachable, .connectionLost, .notModbus:
      report(.disconnected(error.deviceError(connection.description)))
    }
  }

  func report(_ connection: ConnectionState) {
    let isNew = state.withLock { state in
      defer { state.reported = connection }
      return state.reported != connection
    }
    if isNew { feed.connection(of: device, is: connection) }
  }
}
