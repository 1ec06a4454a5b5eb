public import DeviceKit
public import Documents
internal import Synchronization

/// The face of the store towards whoever carries out a device's directives, one at a time per device.
extension TwinStore {
  /// Begins anew for a device: what an earlier executor fetched and did not answer is asked again.
  public func beginWork(_ device: DeviceKey) {
    locked { state in
      guard let twin = state.indexes[device] else { return }
      for property in state.twins[twin].properties.indices {
        state.apply(.interrupted, twin: twin, property: property, now: clock.now)
      }
      state.interruptCommands(twin)
    }
  }

  /// The reads and writes that are due, each handed out once.
  public func takeWork(_ device: DeviceKey) -> TwinWork {
    locked { $0.takeWork(device, now: clock.now) }
  }

  /// Waits for work: until something is asked for, until `nextWake`, or until the task is cancelled. May return early.
  public func waitForWork(_ device: DeviceKey, nextWake: Timestamp?) async {
    guard let wakeup = state.withLock({ state in state.indexes[device].map { state.twins[$0].wakeup } }) else {
      // No twin yet or no longer.
      try? await Task.sleep(for: .seconds(1))
      return
    }
    if let nextWake {
      // The clock may be stepped: it is looked at again after a minute at most.
      let left = Swift.min(nextWake - clock.now, .seconds(60))
      await wakeup.wait(atMost: Swift.max(left, .milliseconds(1)))
    } else {
      await wakeup.wait()
    }
  }

  /// Whether a write that was handed out is still wanted: nothing was asked for, held or cut off meanwhile.
  public func isWanted(_ write: TwinWork.Write, of device: DeviceKey) -> Bool {
    state.withLock { $0.isAwaited(write.property, of: device, ticket: write.ticket) }
  }

  public func complete(_ read: TwinWork.Read, of device: DeviceKey, _ result: Result<Reading, DeviceError>) {
    locked { $0.complete(read: read.property, of: device, ticket: read.ticket, result, now: clock.now) }
  }

  /// `error` nil: the device took the write.
  public func complete(_ write: TwinWork.Write, of device: DeviceKey, _ error: DeviceError?) {
    locked { state in
      guard let twin = state.indexes[device], let index = state.twins[twin].indexes[write.property] else { return }
      state.apply(.written(write.ticket, error), twin: twin, property: index, now: clock.now)
    }
  }
}
