internal import DeviceKit

/// Lets samples pass by quality and by a condition.
final class FilterStage: SampleStage {
  let name = "filter"
  private(set) var counters = StageCounters()
  /// Bit n: the quality of raw value n passes.
  private let qualityMask: UInt8
  private let program: ExpressionProgram?
  private static let chunk = 512
  private let values: UnsafeMutablePointer<Double>
  private let qualities: UnsafeMutablePointer<Double>
  private let stack: UnsafeMutablePointer<Double>

  init(_ filter: PipelineSpecification.Filter) {
    qualityMask = filter.qualities.map { $0.reduce(0) { $0 | 1 << $1.rawValue } } ?? 0xFF
    program = filter.condition?.program
    let height = program?.height ?? 0
    values = .allocate(capacity: Self.chunk)
    qualities = .allocate(capacity: Self.chunk)
    stack = .allocate(capacity: Self.chunk * max(1, height))
    values.initialize(repeating: 0, count: Self.chunk)
    qualities.initialize(repeating: 0, count: Self.chunk)
    stack.initialize(repeating: 0, count: Self.chunk * max(1, height))
  }

  deinit {
    values.deallocate()
    qualities.deallocate()
    stack.deallocate()
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
    let (rows, slots) = (selection.rows, selection.slots)
    let offered = selection.count
    var kept = 0
    var numeric = 0
    var start = 0
    while start < offered {
      let end = min(start + Self.chunk, offered)
      // The chunk's rows with a number move to `numeric…`, which never overtakes `start`.
      numeric = kept
      var filled = 0
      for index in start..<end {
        let (row, slot) = (rows[index], slots[index])
        let payload = columns.payloads[Int(row)]
        let value: Double
        switch columns.kinds[Int(row)] {
        case .number: value = Double(bitPattern: payload)
        case .integer: value = Double(Int64(bitPattern: payload))
        case .unsigned: value = Double(payload)
        case .boolean: value = payload == 0 ? 0 : 1
        case .none, .side:
          guard !program.readsValue else {
            counters.drop(1, "notNumeric")
            continue
          }
          value = 0
        }
        values[filled] = value
        qualities[filled] = Double(columns.qualities[Int(row)].rawValue)
        filled += 1
        rows[numeric] = row
        slots[numeric] = slot
        numeric += 1
      }
      program.run(values: values, qualities: qualities, count: filled, stack: stack)
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
}
