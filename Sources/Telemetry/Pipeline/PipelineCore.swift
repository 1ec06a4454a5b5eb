package import DeviceKit

/// One pipeline without I/O and without a clock: samples in, rows out.
///
/// A point is looked up once; from then on its samples find their series' slot in a dense table, and stages keep their
/// state in dense tables by slot. Owned by one actor or test.
package final class PipelineCore {
  /// What the pipeline needs to know of a point that it takes.
  package struct Admission {
    /// The series' handle in the ``SeriesCatalogue``.
    package var series: UInt32
    package var range: ClosedRange<Double>?
    package init(series: UInt32, range: ClosedRange<Double>? = nil) {
      self.series = series
      self.range = range
    }
  }

  package let specification: PipelineSpecification
  /// Names of the fields of every row.
  package let fields: [String]
  /// Input is samples of selected points; dropped are those whose number is not finite.
  package private(set) var selected = StageCounters()
  package let stages: [any SampleStage]
  /// Nil for a pipeline that does not aggregate.
  package var windows: WindowStage?
  /// Of the aggregate; nil where there is none.
  package var windowCounters: StageCounters? { windows?.counters }
  /// The series' handles and points by slot.
  package private(set) var series: [UInt32] = []
  package private(set) var points: [PointID] = []
  private var slotOfPoint: [PointID: Int32] = [:]
  /// Slot by point; -1: not taken, -2: to be asked.
  private var slots: [Int32] = []
  private let selection = Selection()

  package init(_ specification: PipelineSpecification) {
    self.specification = specification
    var stages: [any SampleStage] = []
    var aggregate: PipelineSpecification.Aggregate?
    for stage in specification.stages {
      switch stage {
      case .filter(let filter): stages.append(FilterStage(filter))
      case .deadband(let deadband): stages.append(DeadbandStage(deadband))
      case .throttle(let every): stages.append(ThrottleStage(every: every))
      case .dedup: stages.append(DeadbandStage(dedup: ()))
      case .aggregate(let last): aggregate = last
      }
    }
    self.stages = stages
    windows = aggregate.map { WindowStage($0) }
    fields = aggregate?.functions.map(\.rawValue) ?? ["value"]
  }

  /// Takes a batch and appends what comes out. `admit` is asked once for each point: nil for one that the pipeline does
  /// not take.
  package func process(_ batch: SampleBatch, into output: inout RecordRows, admit: (PointID) -> Admission?) {
    batch.withColumns { columns in
      select(columns, admit)
      guard selection.count > 0 else { return }
      for stage in stages { stage.process(columns, selection) }
      if windows?.process(columns, selection, into: &output) == nil { pass(columns, &output) }
    }
  }

  private func select(_ columns: BatchColumns, _ admit: (PointID) -> Admission?) {
    selection.reset(capacity: columns.count)
    var row = 0
    var taken = 0
    var kept = 0
    while row < columns.count {
      slots.withUnsafeBufferPointer { table in
        while row < columns.count {
          let point = Int(columns.points[row].index)
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
      if row < columns.count { resolve(columns.points[row], admit) }
    }
    selection.count = kept
    selected.input += UInt64(taken)
    selected.output += UInt64(kept)
    selected.drop(taken - kept, "nonFinite")
  }

  private func resolve(_ point: PointID, _ admit: (PointID) -> Admission?) {
    let index = Int(point.index)
    if index >= slots.count { slots.append(contentsOf: repeatElement(-2, count: index + 1 - slots.count)) }
    guard let admission = admit(point) else {
      slots[index] = -1
      return
    }
    let slot = slot(of: point, series: admission.series)
    for stage in stages { stage.describe(slot: slot, range: admission.range) }
    slots[index] = Int32(slot)
  }

  private func slot(of point: PointID, series handle: UInt32) -> Int {
    if let slot = slotOfPoint[point] { return Int(slot) }
    let slot = series.count
    series.append(handle)
    points.append(point)
    slotOfPoint[point] = Int32(slot)
    for stage in stages { stage.grow(to: slot + 1) }
    windows?.grow(to: slot + 1)
    return slot
  }

  /// Rows of samples, for a pipeline without windows.
  private func pass(_ columns: BatchColumns, _ output: inout RecordRows) {
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

  /// Whether the batch holds a sample that the pipeline takes or might take.
  package func wants(_ batch: SampleBatch) -> Bool {
    batch.points.contains { Int($0.index) >= slots.count || slots[Int($0.index)] != -1 }
  }

  /// Asks again for these points: labels, models or ranges have changed. Windows of points that the pipeline no longer
  /// takes close.
  package func invalidate(_ points: [PointID], into output: inout RecordRows, admit: (PointID) -> Admission?) {
    for point in points where Int(point.index) < slots.count {
      slots[Int(point.index)] = -2
      guard let slot = slotOfPoint[point] else { continue }
      resolve(point, admit)
      if slots[Int(point.index)] < 0 { windows?.flush(slot: Int(slot), into: &output) }
    }
  }

  /// The slot's state in all stages.
  package func save(slot: Int, to output: inout ByteWriter) {
    for stage in stages { stage.save(slot: slot, to: &output) }
    windows?.save(slot: slot, to: &output)
  }

  /// Makes a slot for the point and takes back what ``save(slot:to:)`` wrote under an equal specification of stages.
  /// `isTaken` false: the point's open windows are kept only to be closed.
  package func restore(
    _ point: PointID, _ admission: Admission, isTaken: Bool, from input: inout ByteReader
  ) throws(DecodingFault) {
    let slot = slot(of: point, series: admission.series)
    if isTaken { resolve(point) { _ in admission } }
    for stage in stages { try stage.restore(slot: slot, from: &input) }
    try windows?.restore(slot: slot, from: &input)
  }
}
