public import DeviceKit
internal import Synchronization

/// Tells people of links that came or went: a status to write at once, and an event for each flip.
public final class LinkEvents: Sendable {
  private let flips = Mutex<[DeviceKey: ConnectionState]>([:])
  private let signal = CoalescingSignal<DeviceKey>()
  private let statusChanges: CoalescingSignal<DeviceKey>

  public init(statusChanges: CoalescingSignal<DeviceKey>) { self.statusChanges = statusChanges }

  /// Takes a change of a device's link; safe from any thread. Of several before they are told, the last counts.
  public func note(_ device: DeviceKey, from previous: ConnectionState?, to state: ConnectionState) {
    statusChanges.insert(device)
    let isFlip = (previous == .connected) != (state == .connected)
    guard isFlip || previous == nil || previous == .connecting, state != .connecting else { return }
    flips.withLock { $0[device] = state }
    signal.insert(device)
  }

  /// Records events until the task is cancelled.
  public func run(mirror: ResourceMirror, events: EventRecorder) async {
    await signal.drain { devices in
      for device in devices.sorted() {
        guard let state = self.flips.withLock({ $0.removeValue(forKey: device) }),
          let object = mirror.object(.devices, device.objectKey)
        else { continue }
        switch state {
        case .connected: await events.record(object, reason: "Connected", message: "the device answers")
        case .disconnected(let error):
          await events.record(object, type: .warning, reason: "Disconnected", message: error.message)
        case .connecting: break
        }
      }
    }
  }
}
