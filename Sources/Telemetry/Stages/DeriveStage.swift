internal import DeviceKit
internal import SinkKit

/// Makes samples of a property that is computed from last known values of others.
///
/// A device's property is computed once for all samples of the device that follow each other with one source time, so
/// that values read together are never mixed with those before; a group's once a batch. Its source time is the newest of
/// what triggered it, its quality the worst of what it is computed from; with something Bad it is Bad and has no value.
/// Where something is not known, or older than the maximum age, nothing is made, and counted.
final class DeriveStage: SampleStage {
  let name = "derive"
  private(set) var counters = StageCounters()
  private let derive: PipelineSpecification.Derive
  private let maker: SeriesMaker
  private let values: ScopeValues
  private var replaced = SlotTable(initial: false)
  /// The made series' slot, by scope.
  private var made: [Int32] = []

  init(_ derive: PipelineSpecification.Derive, _ maker: SeriesMaker) {
    self.derive = derive
    self.maker = maker
    values = ScopeValues(
      derive.expression.program, grouping: derive.groupLabel.map { .label($0) } ?? .device,
      maximumAge: derive.maximumAge)
  }

  func grow(to count: Int) {
    values.grow(to: count)
    replaced.grow(to: count)
  }

  func describe(slot: Int, _ details: inout SeriesDetails) {
    let series = details.description
    replaced[slot] = derive.groupLabel == nil && series.property == derive.name
    guard let scope = values.describe(slot: slot, series, isSubject: false), let key = values.key(of: series) else {
      return
    }
    var description = SeriesDescription(
      node: series.node, device: key, property: derive.name, unit: derive.unit)
    if let label = derive.groupLabel {
      description.labels = [label: series.labels[label] ?? ""]
    } else {
      (description.model, description.labels) = (series.model, series.labels)
    }
    let slot = maker.slot(of: SeriesDetails(description))
    if Int(scope) == made.count { made.append(slot) } else { made[Int(scope)] = slot }
  }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    counters.input += UInt64(selection.count)
    flow.rewrite { made in
      for index in 0..<selection.count {
        let (row, slot) = (Int(selection.rows[index]), selection.slots[index])
        let scope = values.scopes.cells[Int(slot)]
        if scope >= 0 {
          if values.isOverdue(scope, at: columns.sourceTimes[row]) { emit(scope, made) }
          values.take(columns, row, slot)
        }
        if replaced.cells[Int(slot)] {
          counters.drop(1, "replaced")
        } else {
          made.append(columns, row: row, slot: slot)
          counters.output += 1
        }
      }
      for scope in values.pending where values.isPending(scope) { emit(scope, made) }
      values.clearPending()
    }
  }

  private func emit(_ scope: Int32, _ made: SampleColumns) {
    let (time, arrival) = values.trigger(of: scope)
    let slot = self.made[Int(scope)]
    counters.made += 1
    switch values.outcome(in: scope, at: time) {
    case .unknown(let cause): return counters.drop(1, cause)
    case .bad: made.append(slot: slot, nil, quality: .bad, sourceTime: time, gatewayTime: arrival)
    case .value(let number, let quality):
      made.append(
        slot: slot, derive.expression.result == .boolean ? .boolean(number != 0) : .number(number), quality: quality,
        sourceTime: time, gatewayTime: arrival)
    }
    counters.output += 1
  }

  func flush(slot: Int?, _ flow: SampleFlow) {
    if let slot { values.remove(slot: slot) }
  }

  func moveTimes(of slot: Int, by nanoseconds: Int64) { values.moveTimes(of: slot, by: nanoseconds) }

  func save(slot: Int, to output: inout ByteWriter) { values.save(slot: slot, to: &output) }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    try values.restore(slot: slot, from: &input)
  }
}
