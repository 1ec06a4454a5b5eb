internal import DeviceKit

/// Lets samples pass by quality and by a condition.
final class FilterStage: SampleStage {
  let name = "filter"
  private(set) var counters = StageCounters()
  /// Bit n: the quality of raw value n passes.
  private let qualityMask: UInt8
  private let program: ExpressionProgram?
  /// What is true of each slot's series: bit n for the program's input n.
  private var predicates = SlotTable<UInt32>(initial: 0)
  private static let chunk = 256
  /// The program's inputs, each a column of a chunk.
  private let inputs: UnsafeMutablePointer<Double>
  private let stack: UnsafeMutablePointer<Double>

  init(_ filter: PipelineSpecification.Filter) {
    qualityMask = filter.qualities.map { $0.reduce(0) { $0 | 1 << $1.rawValue } } ?? 0xFF
    program = filter.condition?.program
    let width = Self.chunk * max(1, program?.inputs.count ?? 0)
    let height = Self.chunk * max(1, program?.height ?? 0)
    inputs = .allocate(capacity: width)
    stack = .allocate(capacity: height)
    inputs.initialize(repeating: 0, count: width)
    stack.initialize(repeating: 0, count: height)
  }

  deinit {
    inputs.deallocate()
    stack.deallocate()
  }

  func grow(to count: Int) { predicates.grow(to: count) }

  func describe(slot: Int, _ details: inout SeriesDetails) {
    var bits: UInt32 = 0
    for (place, input) in (program?.inputs ?? []).enumerated() {
      if case .predicate(let predicate) = input, predicate.holds(of: details.description) { bits |= 1 << place }
    }
    predicates[slot] = bits
  }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    counters.input += UInt64(selection.count)
    let offered = selection.count
    keepByQuality(columns, selection)
    counters.drop(offered - selection.count, "filtered")
    if let program { keepByCondition(program, columns, selection) }
    counters.output += UInt64(selection.count)
  }

  private func keepByQuality(_ columns: BatchColumns, _ selection: Selection) {
    guard qualityMask != 0xFF else { return }
    let (rows, slots) = (selection.rows, selection.slots)
    var kept = 0
    for index in 0..<selection.count {
      let (row, slot) = (rows[index], slots[index])
      rows[kept] = row
      slots[kept] = slot
      kept += Int(qualityMask >> columns.qualities[Int(row)].rawValue & 1)
    }
    selection.count = kept
  }

  private func keepByCondition(_ program: ExpressionProgram, _ columns: BatchColumns, _ selection: Selection) {
    let (rows, slots, offered) = (selection.rows, selection.slots, selection.count)
    var kept = 0
    var start = 0
    while start < offered {
      let end = min(start + Self.chunk, offered)
      // The chunk's rows that the condition can be asked of move to `kept…`, which never overtakes `start`.
      var filled = 0
      for index in start..<end {
        let row = Int(rows[index])
        if program.readsValue, columns.number(at: row) == nil {
          counters.drop(1, "notNumeric")
          continue
        }
        let slot = slots[index]
        rows[kept + filled] = rows[index]
        slots[kept + filled] = slot
        filled += 1
      }
      for (place, input) in program.inputs.enumerated() {
        fill(inputs + place * Self.chunk, with: input, place, columns, rows + kept, slots + kept, filled)
      }
      program.run(inputs: inputs, stride: Self.chunk, count: filled, stack: stack)
      let candidates = kept
      for index in 0..<filled {
        rows[kept] = rows[candidates + index]
        slots[kept] = slots[candidates + index]
        kept += stack[index] != 0 ? 1 : 0
      }
      counters.drop(filled - (kept - candidates), "filtered")
      start = end
    }
    selection.count = kept
  }

  private func fill(
    _ column: UnsafeMutablePointer<Double>, with input: ExpressionInput, _ place: Int, _ columns: BatchColumns,
    _ rows: UnsafePointer<Int32>, _ slots: UnsafePointer<Int32>, _ count: Int
  ) {
    switch input {
    case .value: for index in 0..<count { column[index] = columns.number(at: Int(rows[index])) ?? 0 }
    case .quality: for index in 0..<count { column[index] = Double(columns.qualities[Int(rows[index])].rawValue) }
    case .age:
      for index in 0..<count {
        let row = Int(rows[index])
        column[index] = Double(columns.gatewayTimes[row] &- columns.sourceTimes[row]) / 1e9
      }
    case .predicate:
      for index in 0..<count { column[index] = Double(predicates.cells[Int(slots[index])] >> UInt32(place) & 1) }
    case .property, .figure: column.update(repeating: .nan, count: count)
    }
  }
}
