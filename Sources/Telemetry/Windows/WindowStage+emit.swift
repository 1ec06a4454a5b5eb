internal import DeviceKit

extension WindowStage {
  /// Puts out one window; nothing for one without a sample, unless empty ones are asked for. `course` reaches to the
  /// window's end.
  mutating func emit(
    _ slot: Int, _ cell: WindowCell, _ course: Course, from start: Int64, to end: Int64, revision: UInt32,
    _ output: inout RecordRows
  ) {
    guard cell.count > 0 || aggregate.empty != .skip else { return }
    let quality = cell.count > 0 ? Quality(rawValue: cell.quality) ?? .uncertain : .uncertain
    let (kinds, payloads) = (fieldKinds.cells, fieldPayloads.cells)
    var index = 0
    for function in aggregate.functions {
      let number: Numeral
      switch function {
      case .mean, .min, .max, .sum, .count: number = cell.result(of: function)
      case .first, .last:
        let edge = parts.edges.cells[Int(cell.part)]
        let isFirst = function == .first
        put(isFirst ? edge.firstKind : edge.lastKind, isFirst ? edge.first : edge.last, at: index, &output)
        index += 1
        continue
      case .stddev: number = isNumeric(cell) ? parts.moments.cells[Int(cell.part)].standardDeviation : .absent
      case .median: number = quantile(0.5, cell)
      case .p90: number = quantile(0.9, cell)
      case .p95: number = quantile(0.95, cell)
      case .p99: number = quantile(0.99, cell)
      default: number = course.result(of: function, over: end - start)
      }
      (kinds[index], payloads[index]) = (number.kind, number.payload)
      index += 1
    }
    if aggregate.empty == .last { repeatLast(slot, cell, &output) }
    if aggregate.late != .drop { (kinds[index], payloads[index]) = (.integer, UInt64(revision)) }
    output.append(
      RecordRows.Row(
        slot: Int32(truncatingIfNeeded: slot), time: end, windowStart: start, quality: quality),
      kinds: kinds, payloads: payloads, count: fieldKinds.count)
  }

  private func isNumeric(_ cell: WindowCell) -> Bool { cell.kind == .number || cell.kind == .integer }

  private func quantile(_ share: Double, _ cell: WindowCell) -> Numeral {
    isNumeric(cell) ? parts.sketches[Int(cell.part)].quantile(share) : .absent
  }

  private mutating func put(_ kind: SampleKind, _ payload: UInt64, at index: Int, _ output: inout RecordRows) {
    fieldKinds.cells[index] = kind
    fieldPayloads.cells[index] = payload
    guard kind == .side, let value = parts.shelf.value(at: payload) else { return }
    fieldPayloads.cells[index] = output.keep(side: value)
  }

  /// Lets an empty window repeat the last reading before it, or keeps that of another for those to come.
  private mutating func repeatLast(_ slot: Int, _ cell: WindowCell, _ output: inout RecordRows) {
    if cell.count > 0 {
      let edge = parts.edges.cells[Int(cell.part)]
      let side = edge.lastKind == .side ? parts.shelf.value(at: edge.last) : nil
      values[slot] = Value(kind: edge.lastKind, payload: edge.last, side: side)
      return
    }
    guard let value = values[slot] else { return }
    for (index, function) in aggregate.functions.enumerated() {
      switch function {
      case .first, .last: break
      case .mean, .min, .max: if value.number == nil { continue }
      default: continue
      }
      fieldKinds.cells[index] = value.kind
      fieldPayloads.cells[index] = value.isSide ? output.keep(side: value) : value.payload
    }
  }
}

extension Course {
  /// A function of a value's course over a window of `span` nanoseconds; absent where it has no meaning for it.
  func result(of function: PipelineSpecification.Function, over span: Int64) -> Numeral {
    switch function {
    case .increase: risen
    case .rate:
      lastTime > firstTime && !risen.isAbsent
        ? Numeral(finite: risen.double / (Double(lastTime - firstTime) / 1e9)) : .absent
    case .delta: first.isAbsent ? .absent : last.minus(first)
    case .integral: first.isAbsent ? .absent : Numeral(finite: integral.value)
    case .timeWeightedMean:
      first.isAbsent
        ? .absent : Numeral(finite: known > 0 ? integral.value / (Double(known) / 1e9) : last.double)
    case .duration: isEmpty ? .absent : Numeral(finite: Double(held) / 1e9)
    case .validPercentage:
      span > 0 ? Numeral(finite: 100 * Double(known) / Double(span)) : Numeral(finite: isKnown ? 100 : 0)
    default: .absent
    }
  }
}
