package import DeviceKit
package import SinkKit

/// One pipeline without I/O and without a clock: samples in, rows out.
///
/// A point is looked up once; from then on its samples find their series' slot in a dense table, and stages keep their
/// state in dense tables by slot. Owned by one actor or test.
package final class PipelineCore {
  /// What the pipeline needs to know of a point that it takes.
  package struct Admission {
    package var details: SeriesDetails
    /// The series' handle where it is given, whatever the stages make of the description; else it is registered.
    package var series: UInt32?

    /// A point whose series is registered as the stages leave its description.
    package init(_ description: SeriesDescription, range: ClosedRange<Double>? = nil) {
      details = SeriesDetails(description, range: range)
    }

    /// A point without a name whose series has this handle.
    package init(series: UInt32, range: ClosedRange<Double>? = nil) {
      let nobody = DeviceKey(namespace: "", name: "")
      details = SeriesDetails(SeriesDescription(node: "", device: nobody, property: ""), range: range)
      self.series = series
    }
  }

  package let specification: PipelineSpecification
  /// Names of the fields of every row.
  package let fields: [String]
  /// Input is samples of selected points; dropped are those whose number is not finite.
  package private(set) var selected = StageCounters()
  package private(set) var stages: [any SampleStage] = []
  /// Nil for a pipeline that does not aggregate.
  package var windows: WindowStage?
  /// Of the aggregate; nil where there is none.
  package var windowCounters: StageCounters? { windows?.counters }
  package internal(set) var slots = SeriesSlots()
  /// States of stages that were saved in another version, and not taken back.
  package internal(set) var forgottenStates: UInt64 = 0
  /// Slot by point; -1: not taken, -2: to be asked.
  var slotTable: [Int32] = []
  let flow = SampleFlow()
  /// What steps of the gateway's clock have still to be done to the stages' times.
  var moves = PendingMoves()
  var alarms = AlarmLog()
  let register: (SeriesDescription) -> UInt32

  /// - Parameter register: Gives a series, as the last stage leaves its description, its handle in the
  ///   ``SeriesCatalogue``.
  package init(_ specification: PipelineSpecification, register: @escaping (SeriesDescription) -> UInt32) {
    self.specification = specification
    self.register = register
    var aggregate: PipelineSpecification.Aggregate?
    if case .aggregate(let last) = specification.stages.last { aggregate = last }
    windows = aggregate.map { WindowStage($0) }
    fields = aggregate?.fields ?? ["value"]
    for stage in specification.stages {
      guard let made = stage.makeStage(SeriesMaker(core: self, stage: stages.count)) else { continue }
      stages.append(made)
    }
  }

  /// The series' handles by slot.
  package var series: [UInt32] { slots.handles }
  /// The points by slot; one of no point for a series that a stage made.
  package var points: [PointID] { slots.points }

  /// Takes a batch and appends what comes out. `admit` is asked once for each point: nil for one that the pipeline does
  /// not take.
  package func process(_ batch: SampleBatch, into output: inout RecordRows, admit: (PointID) -> Admission?) {
    batch.withColumns { points, columns in
      flow.begin(columns)
      select(points, columns, admit)
      run(from: 0, &output)
      flow.clear()
    }
  }

  /// Takes the flow through the stages from `first` on, and what is left into windows or rows.
  func run(from first: Int, _ output: inout RecordRows) {
    for (index, stage) in stages.enumerated().dropFirst(first) {
      guard flow.selection.count > 0 else { return }
      stage.grow(to: slots.count)
      if moves.arePending { moveTimes(before: index) }
      stage.process(flow)
    }
    guard flow.selection.count > 0 else { return }
    windows?.grow(to: slots.count)
    if windows?.process(flow.columns, flow.selection, into: &output) == nil { pass(&output) }
  }

  private func select(_ points: UnsafePointer<PointID>, _ columns: BatchColumns, _ admit: (PointID) -> Admission?) {
    let selection = flow.selection
    var row = 0
    var taken = 0
    var kept = 0
    while row < columns.count {
      slotTable.withUnsafeBufferPointer { table in
        while row < columns.count {
          let point = Int(points[row].index)
          guard point < table.count, table[point] != -2 else { return }
          let slot = table[point]
          selection.rows[kept] = Int32(truncatingIfNeeded: row)
          selection.slots[kept] = slot
          taken += slot >= 0 ? 1 : 0
          // A double whose exponent is all ones is infinite or not a number.
          let isFinite = columns.kinds[row] != .number || ~columns.payloads[row] & 0x7FF0_0000_0000_0000 != 0
          kept += (slot >= 0 ? 1 : 0) & (isFinite ? 1 : 0)
          row += 1
        }
      }
      if row < columns.count { resolve(points[row], admit) }
    }
    selection.count = kept
    selected.input += UInt64(taken)
    selected.output += UInt64(kept)
    selected.drop(taken - kept, "nonFinite")
  }

  /// Rows of samples, for a pipeline without windows.
  private func pass(_ output: inout RecordRows) {
    let (columns, selection) = (flow.columns, flow.selection)
    for index in 0..<selection.count {
      let row = Int(selection.rows[index])
      output.append(
        RecordRows.Row(
          slot: selection.slots[index], time: columns.sourceTimes[row], quality: columns.qualities[row]))
      if columns.kinds[row] == .side {
        output.appendField(side: columns.sideValues[Int(columns.payloads[row])])
      } else {
        output.appendField(columns.kinds[row], columns.payloads[row])
      }
    }
  }

  /// Counts samples that the pipeline would take and is not given, under a cause.
  package func refuse(_ points: [PointID], _ cause: String) {
    let count = points.count(where: wants)
    selected.input += UInt64(count)
    selected.drop(count, cause)
  }

  /// Asks for each point again when its next sample comes; what stages and windows hold of it stays.
  package func askAgain() {
    for index in slotTable.indices { slotTable[index] = -2 }
  }

  /// Whether the pipeline takes the point or might take it.
  package func wants(_ point: PointID) -> Bool {
    Int(point.index) >= slotTable.count || slotTable[Int(point.index)] != -1
  }

  /// The alarms raised and cleared since the last call, at most 1,024.
  package func takeAlarms() -> [AlarmTransition] { alarms.take() }

  /// Alarms raised and cleared of which nobody was told, because too many came between two calls of ``takeAlarms()``.
  package var alarmsLost: UInt64 { alarms.lost }

  /// Whether the batch holds a sample that the pipeline takes or might take.
  package func wants(_ batch: SampleBatch) -> Bool {
    batch.points.contains { Int($0.index) >= slotTable.count || slotTable[Int($0.index)] != -1 }
  }
}
