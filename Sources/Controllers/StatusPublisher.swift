public import DeviceKit
internal import Documents
public import Logging
internal import Resources
public import TwinStore

/// Writes the status of Devices: after transitions only, never for mere values, and at a bounded rate.
public actor StatusPublisher {
  /// How often a Device's status may be written: one write in `interval`, of which `burst` may be saved up, so that a
  /// wish is seen to be Pending and then Confirmed at once.
  public struct Rate: Sendable {
    public var interval: Duration
    public var burst: Double
    public init(interval: Duration = .seconds(10), burst: Double = 3) {
      self.interval = interval
      self.burst = burst
    }
  }

  private struct Budget {
    var writes: Double
    var time: Timestamp
  }

  private let mirror: ResourceMirror
  private let writer: any StatusWriter
  private let devices: DeviceController
  private let twins: TwinStore
  private let board: ConnectionBoard
  private let nodeName: String
  private let isAlone: Bool
  private let changes: CoalescingSignal<DeviceKey>
  private let rate: Rate
  private let clock: WallClock
  private let logger: Logger
  private var budgets: [DeviceKey: Budget] = [:]
  private var postponed: Set<DeviceKey> = []

  /// - Parameter isAlone: whether no other gateway writes to the backend; then this one says so of Devices whose
  ///   `spec.nodeName` names a node without a Gateway, which nobody else would.
  public init(
    mirror: ResourceMirror, writer: any StatusWriter, devices: DeviceController, twins: TwinStore,
    board: ConnectionBoard, nodeName: String, isAlone: Bool, changes: CoalescingSignal<DeviceKey>, rate: Rate = Rate(),
    clock: WallClock, logger: Logger
  ) {
    self.mirror = mirror
    self.writer = writer
    self.devices = devices
    self.twins = twins
    self.board = board
    self.nodeName = nodeName
    self.isAlone = isAlone
    self.changes = changes
    self.rate = rate
    self.clock = clock
    self.logger = logger
  }

  /// Publishes until the task is cancelled.
  public func run() async {
    await withTaskGroup { group in
      group.addTask {
        await self.changes.drain { changed in
          // A transition seldom comes alone: what follows within this pause shares its write.
          try? await Task.sleep(for: .milliseconds(250))
          for device in changed { await self.publish(device) }
        }
      }
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: .seconds(1))
          await self.publishPostponed()
        }
      }
      await group.waitForAll()
    }
  }

  private func publishPostponed() async {
    let due = postponed
    postponed = []
    for device in due { await publish(device) }
  }

  private func publish(_ device: DeviceKey) async {
    guard let object = mirror.object(.devices, device.objectKey), let resolution = await devices.resolution(of: device),
      resolution != .elsewhere || isNobodys(object)
    else {
      budgets[device] = nil
      return
    }
    let previous = object["status"] ?? [:]
    let status = DeviceStatus(
      nodeName: nodeName, generation: object[path: "metadata", "generation"]?.integer ?? 0, resolution: resolution,
      connection: board[device], properties: twins.snapshot(device)?.properties.map(PropertyStatus.init) ?? [])
    let patch = status.patch(previous: previous, now: clock.now)
    guard DeviceStatus.digest(of: previous) != DeviceStatus.digest(of: previous.merging(patch)) else { return }
    guard spend(device) else {
      postponed.insert(device)
      return
    }
    do throws(APIStatus) {
      try await writer.write(patch, to: device.objectKey, of: .devices, over: previous)
    } catch {
      guard error.code != 404 else { return }
      postponed.insert(device)
      logger.warning("status not written", metadata: ["device": "\(device)", "error": "\(error.message)"])
    }
  }

  /// Whether a Device of another node has no gateway that could write its status.
  private func isNobodys(_ device: JSONValue) -> Bool {
    guard isAlone, let node = device[path: "spec", "nodeName"]?.string else { return false }
    return mirror.object(.gateways, ObjectKey(name: node)) == nil
  }

  /// Takes one write from the device's budget; false where there is none left.
  private func spend(_ device: DeviceKey) -> Bool {
    let now = clock.now
    var budget = budgets[device] ?? Budget(writes: rate.burst, time: now)
    budget.writes = min(rate.burst, budget.writes + max(0, (now - budget.time).seconds) / rate.interval.seconds)
    budget.time = now
    let isAllowed = budget.writes >= 1
    if isAllowed { budget.writes -= 1 }
    budgets[device] = budget
    return isAllowed
  }
}
