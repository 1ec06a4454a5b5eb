public import DeviceKit
internal import Resources
public import TwinStore

/// Tells people what became of their wishes: a status to write, and an event for each end of the story.
public struct TransitionReporter: Sendable {
  private let twins: TwinStore
  private let mirror: ResourceMirror
  private let events: EventRecorder
  private let statusChanges: CoalescingSignal<DeviceKey>

  public init(
    twins: TwinStore, mirror: ResourceMirror, events: EventRecorder, statusChanges: CoalescingSignal<DeviceKey>
  ) {
    self.twins = twins
    self.mirror = mirror
    self.events = events
    self.statusChanges = statusChanges
  }

  /// Follows the twins until the task is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        let changes = twins.changes()
        while let changed = await changes.next() {
          for (device, change) in changed where !change.isDisjoint(with: [.states, .shape]) {
            statusChanges.insert(device)
          }
        }
      }
      for await transition in twins.transitions() { await record(transition) }
      group.cancelAll()
    }
  }

  private func record(_ transition: TwinTransition) async {
    statusChanges.insert(transition.device)
    if transition.transition.reason == DesiredState.localDrift {
      guard let device = mirror.object(.devices, transition.device.objectKey) else { return }
      return await events.record(
        device, type: .warning, reason: "DesiredDrift",
        message: "\(transition.property): \(transition.transition.message)")
    }
    guard let phase = transition.transition.to, phase != .pending, phase != .writing,
      let device = mirror.object(.devices, transition.device.objectKey)
    else { return }
    let text = transition.transition.message
    let isGood = phase == .confirmed
    await events.record(
      device, type: isGood ? .normal : .warning, reason: "Desired\(phase.rawValue)",
      message: "\(transition.property): \(text.isEmpty ? phase.rawValue : text)")
  }
}
