internal import Documents

/// What follows from an aggregate's specification for all its windows.
struct WindowPlan {
  let aggregate: PipelineSpecification.Aggregate
  let panes: Panes
  let needs: WindowNeeds
  /// In nanoseconds.
  let lateness: Int64
  /// How long closed panes are kept for corrections, in nanoseconds; zero: late samples are dropped.
  let correctFor: Int64
  /// Whether windows are put out straight from their pane.
  let isDirect: Bool
  /// Whether a sample changes nothing but its pane's cell.
  let isPlain: Bool
  /// Of state windows.
  let condition: WindowCondition

  init(_ aggregate: PipelineSpecification.Aggregate) {
    self.aggregate = aggregate
    panes = Panes(aggregate)
    needs = WindowNeeds(aggregate)
    lateness = aggregate.lateness.nanoseconds
    correctFor = if case .correct(let span) = aggregate.late { span.nanoseconds } else { 0 }
    let isTumbling = if case .tumbling = aggregate.window { true } else { false }
    let of: Expression? = if case .state(let expression) = aggregate.window { expression } else { nil }
    isDirect = isTumbling && correctFor == 0 && aggregate.empty == .skip && !needs.contains(.course)
    isPlain = aggregate.window.isAligned && needs.isEmpty && aggregate.groups == nil
    condition = WindowCondition(of)
  }
}
