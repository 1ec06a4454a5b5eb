package import DeviceKit
import Documents
import Synchronization

/// One device behind a link: polls its properties in planned blocks, writes, reads back.
package final class ModbusSession: DeviceSession {
  let device: DeviceKey
  let connection: ModbusConnection
  let traits: DeviceTraits
  let map: RegisterMap
  /// By property, as in ``map``.
  let points: [PointID]
  let clock: WallClock
  let writeLock = AsyncLock()
  let fence: WriteFence?
  let feed: any DeviceFeed
  let links: LinkDirectory
  /// Under which it is kept what the device refuses.
  let refusalKey: RefusalBook.Key

  struct State {
    var link: (any ModbusLink)?
    var planner: ReadPlanner
    var reported: ConnectionState?
    var writes = WriteSupport()
    var overruns: UInt64 = 0
    var silence = SilenceBackoff()
    /// Blocks, by their first item, whose last read brought no value; all of them at first.
    var unwell: Set<Int>
    var ages: ReadAges
    var proof: RefusalProof
    /// When what is proven is to be forgotten.
    var forgetAt: Timestamp?
  }
  let state: Mutex<State>

  /// How often a device without a readable property is asked whether it is there.
  static let livenessPeriod = Duration.seconds(10)

  package init(_ request: SessionRequest, feed: any DeviceFeed, links: LinkDirectory, clock: WallClock)
    throws(DeviceError)
  {
    device = request.device
    fence = request.fence
    let connection = try ModbusConnection(request.connection)
    self.connection = connection
    map = try links.registerMap(of: request.properties)
    points = request.points
    var traits = try DeviceTraits(model: request.model, connection: request.connection)
    traits.timing.shortestPeriod = map.groups.first?.period
    self.traits = traits
    self.feed = feed
    self.links = links
    self.clock = clock
    // A TCP link is held from now on, so that a scan finds it; a serial line starts its thread with the first request.
    var link: (any ModbusLink)?
    let limits: ReadPlanner.Limits
    switch connection.medium {
    case .tcp(let endpoint, let framing):
      let made = links.tcp(endpoint, framing: framing)
      made.adapt(to: traits.timing)
      limits = made.limits
      link = made
    case .serial(_, let settings): limits = .line(settings)
    }
    var writes = WriteSupport()
    writes.refused = traits.unsupported
    refusalKey = RefusalBook.Key(
      device: request.device, basis: map.basis(connection), identity: request.identity)
    let known = links.refusals.known(of: refusalKey)
    let refusals = known?.refusals ?? ReadRefusals()
    state = Mutex(
      State(
        link: link,
        planner: ReadPlanner(limits: traits.limits(over: limits), refusals: refusals),
        writes: writes, unwell: Set(map.bindings.indices), ages: ReadAges(periods: map.groups.map(\.period)),
        proof: RefusalProof(
          known: refusals, longestPeriod: map.groups.last?.period ?? .zero, start: link?.now ?? PoolClock().now),
        forgetAt: known?.until))
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
    link.adapt(to: traits.timing)
    state.withLock { $0.link = link }
    return link
  }

  // MARK: Link

  /// Sends a request, and again where ``RetryPolicy`` has it so. A write goes out if the fence permits it then.
  func execute(_ request: ModbusRequest, on link: any ModbusLink, isFenced: Bool = true) async -> ModbusReply {
    let fence = isFenced ? fence : nil
    var reply = await link.execute(request, unit: connection.unit, timeout: connection.timeout, fence: fence)
    guard case .failure(var error) = reply.result else { return reply }
    var policy = RetryPolicy(request, retries: traits.retries)
    while let pause = policy.pause(after: error) {
      if pause > .zero {
        do { try await Task.sleep(for: pause) } catch { return reply }
      }
      let cause = error.reason
      links.count { $0.retries[cause, default: 0] += 1 }
      reply = await link.execute(request, unit: connection.unit, timeout: connection.timeout, fence: fence)
      guard case .failure(let next) = reply.result else { return reply }
      error = next
    }
    return reply
  }

  func report(after error: ModbusError, on link: any ModbusLink) {
    if error.provesLife { return report(.connected) }
    switch error {
    case .queueFull, .closed, .fenced: return
    case .exception, .timeout, .unreachable, .connectionLost, .notModbus:
      var told = error.deviceError(connection.description)
      let isNew = state.withLock { state in
        if case .disconnected(let former) = state.reported, former.reason == told.reason { return false }
        return true
      }
      guard isNew else { return }
      let trouble = link.counters.trouble
      if !trouble.isEmpty { told.message += "; on this link so far: \(trouble)" }
      report(.disconnected(told))
    }
  }

  func report(_ connection: ConnectionState) {
    let isNew = state.withLock { state in
      guard state.reported != connection else { return false }
      state.reported = connection
      return true
    }
    if isNew { feed.connection(of: device, is: connection) }
  }
}
