/// Gives the series that one stage, or the windows after the stages, make their slots.
package struct SeriesMaker {
  private unowned let core: PipelineCore
  private let stage: Int

  init(core: PipelineCore, stage: Int) {
    self.core = core
    self.stage = stage
  }

  /// The slot of the made series that `details` describe, the same for the same device (or group, in the device's place)
  /// and property; told to the stages that follow, and to receivers as these leave it. Call it again when the details
  /// change. The maker's own tables must be grown to ``count`` before they hold the slot.
  package func slot(of details: SeriesDetails) -> Int32 {
    Int32(truncatingIfNeeded: core.slot(madeBy: stage, details))
  }

  /// How many slots there are.
  package var count: Int { core.slots.count }

  /// Tells people of an alarm.
  func report(_ transition: AlarmTransition) { core.alarms.append(transition) }
}
