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

  private func record(_ change: TwinTransition) async {
    statusChanges.insert(change.device)
    guard let event = Self.event(of: change), let device = mirror.object(.devices, change.device.objectKey) else {
      return
    }
    await events.record(device, type: event.type, reason: event.reason, message: event.message)
  }

  /// What people are told of a transition: the end of a wish's story, or a drift. Nil: it is merely on its way.
  ///
  /// The message names the property, the value and who asked, then what the transition itself says; it says the same
  /// of the same, so that a repetition counts and is no other event.
  package static func event(of change: TwinTransition) -> (
    type: EventRecorder.Severity, reason: String, message: String
  )? {
    let transition = change.transition
    let wish = change.wish.map { "\(change.property)=\($0.value) asked for by \($0.source)" } ?? change.property
    func told(_ reason: String, _ fallback: String, _ type: EventRecorder.Severity = .warning) -> (
      type: EventRecorder.Severity, reason: String, message: String
    ) {
      let text = transition.message.isEmpty ? fallback : transition.message
      return (type, reason, text.isEmpty ? wish : "\(wish): \(text)")
    }
    if transition.reason == DesiredState.localDrift { return told("DesiredDrifted", "") }
    switch transition.to {
    case .confirmed: return told("DesiredConfirmed", "", .normal)
    case .held where transition.reason == "Drifted": return told("DesiredDrifted", "")
    case .failed, .rejected, .expired, .held:
      return told("Desired\(transition.to?.rawValue ?? "")", transition.reason)
    case .writing where transition.from == .confirmed:
      return told("DesiredDrifted", "the device no longer holds it; it is written again")
    case .pending, .writing, nil: return nil
    }
  }
}
