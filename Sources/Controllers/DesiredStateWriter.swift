public import DeviceKit
public import TwinStore

/// One write that is about to be sent to a device, for the audit log.
public struct WriteAudit: Sendable, Hashable {
  public var device: DeviceKey
  public var property: String
  /// What the device reported last; nil if nothing usable.
  public var from: Value?
  public var to: Value
  public var by: DesiredSource
  public init(device: DeviceKey, property: String, from: Value?, to: Value, by: DesiredSource) {
    self.device = device
    self.property = property
    self.from = from
    self.to = to
    self.by = by
  }
}

/// Carries out what the twins' desired values need: reads, writes and reads back through a device's session, one
/// batch after another for each device, with commands between the batches.
public struct DesiredStateWriter: Sendable {
  private let twins: TwinStore
  private let audit: @Sendable (WriteAudit) -> Void

  /// `audit` is called for every write right before it is sent; it must not block.
  public init(twins: TwinStore, audit: @escaping @Sendable (WriteAudit) -> Void) {
    self.twins = twins
    self.audit = audit
  }

  /// Serves one attached device until the task is cancelled. At most one runs for a device at a time; what an earlier
  /// one left unanswered is asked again.
  ///
  /// - Parameter fence: asked before each write; nil: nobody else writes to the device.
  public func run(device: DeviceKey, session: some DeviceSession, fence: WriteFence? = nil) async {
    twins.beginWork(device)
    while !Task.isCancelled {
      let work = twins.takeWork(device)
      if work.isEmpty {
        await twins.waitForWork(device, nextWake: work.nextWake)
        continue
      }
      await carryOut(work, device: device, session: session, fence: fence)
    }
  }

  /// Writes come first: they were found ready at the moment of ``TwinStore/takeWork(_:)``, all of a group or none.
  private func carryOut(_ work: TwinWork, device: DeviceKey, session: some DeviceSession, fence: WriteFence?) async {
    let mayWrite = fence?.permits(writeWithin: .zero) ?? true
    if let command = work.command {
      if mayWrite {
        await carryOut(command, device: device, session: session)
      } else {
        twins.complete(command, of: device, WriteFence.refusal, readback: nil)
      }
    }
    if !mayWrite {
      for write in work.writes { twins.complete(write, of: device, WriteFence.refusal) }
    } else if !work.writes.isEmpty {
      for write in work.writes {
        audit(
          WriteAudit(device: device, property: write.property, from: write.from, to: write.value, by: write.source))
      }
      let errors = await session.write(
        work.writes.map { PropertyWrite(property: $0.property, value: $0.value, group: $0.group) })
      for (index, write) in work.writes.enumerated() {
        twins.complete(write, of: device, index < errors.count ? errors[index] : Self.noAnswer)
      }
    }
    if !work.reads.isEmpty {
      let answers = await session.read(work.reads.map(\.property))
      for read in work.reads {
        twins.complete(read, of: device, answers[read.property] ?? .failure(Self.noAnswer))
      }
    }
  }

  private func carryOut(_ command: TwinWork.Command, device: DeviceKey, session: some DeviceSession) async {
    audit(
      WriteAudit(
        device: device, property: command.property, from: command.from, to: command.value, by: command.source))
    let errors = await session.write([PropertyWrite(property: command.property, value: command.value)])
    let error = errors.isEmpty ? Self.noAnswer : errors[0]
    var readback: Result<Reading, DeviceError>?
    if error == nil, command.verifies {
      readback = await session.read([command.property])[command.property] ?? .failure(Self.noAnswer)
    }
    twins.complete(command, of: device, error, readback: readback)
  }

  private static let noAnswer = DeviceError(reason: "NoAnswer", message: "the session gave no answer")
}
