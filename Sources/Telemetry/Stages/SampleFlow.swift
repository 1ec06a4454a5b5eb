/// The samples on their way through a pipeline's stages: columns, and which of their rows are still in the race.
///
/// A stage that only narrows changes ``selection`` in place and copies nothing. A stage that makes or changes samples
/// writes all that goes on, in its order, by ``rewrite(_:)``.
package final class SampleFlow {
  package private(set) var columns: BatchColumns
  package let selection = Selection()
  /// What the columns lie in if a stage made them, and the set that the next such stage writes.
  private var current = SampleColumns()
  private var spare = SampleColumns()

  package init() { columns = current.view }

  /// Puts columns in, of which no row is selected yet.
  func begin(_ columns: BatchColumns) {
    self.columns = columns
    selection.reset(capacity: columns.count)
  }

  /// Empties it.
  func clear() {
    current.removeAll()
    spare.removeAll()
    columns = current.view
    selection.count = 0
  }

  /// Puts what `body` appends in place of the columns and selects all of it. `body` reads ``columns`` and
  /// ``selection``; it must append what shall go on.
  package func rewrite(_ body: (SampleColumns) -> Void) {
    spare.removeAll(sideValues: columns.sideValues)
    body(spare)
    swap(&spare, &current)
    columns = current.view
    selection.selectAll(current.count, slots: current.slots)
  }
}
