internal import DeviceKit
internal import Documents
internal import SinkKit

/// Last known numbers of what an expression reads, by device or by group of devices: its *scope*.
final class ScopeValues {
  enum Grouping: Sendable, Hashable {
    case device
    /// Devices with the same value of this label; one without it is in no group.
    case label(String)
  }

  /// The sample that an expression is asked about.
  struct Subject {
    var value: Double
    var quality: Quality
    var ageSeconds: Double
    /// Bit n: input n is a predicate that holds.
    var predicates: UInt32
  }

  enum Outcome {
    case value(Double, Quality)
    /// Computed from something of quality Bad, or with no finite result.
    case bad
    /// Something that it reads is not known (`missing`), or is too old (`stale`).
    case unknown(cause: String)
  }

  private struct Cell: BitwiseCopyable {
    var value = Double.nan
    var time = Int64.min
    /// Raw value of the quality; ``unknown`` before the first sample.
    var quality: UInt8 = unknown
    var isMember = false
  }
  private static let unknown: UInt8 = 0xFF

  private struct Trigger: BitwiseCopyable {
    var time = Int64.min
    var arrival = Int64.min
    var isPending = false
  }

  let grouping: Grouping
  private let program: ExpressionProgram
  private let maximumAge: Int64
  private var cells = SlotTable(initial: Cell())
  /// -1: none.
  private(set) var scopes = SlotTable<Int32>(initial: -1)
  private var keys: [DeviceKey: Int32] = [:]
  /// Slots by scope × number of inputs + input.
  private var members: [[Int32]] = []
  private var predicates: [UInt32] = []
  private var triggers = SlotTable(initial: Trigger())
  /// Scopes whose trigger is pending, in the order in which they came to be.
  private(set) var pending: [Int32] = []
  private let inputs: UnsafeMutablePointer<Double>
  private let stack: UnsafeMutablePointer<Double>

  init(_ program: ExpressionProgram, grouping: Grouping, maximumAge: Duration?) {
    self.program = program
    self.grouping = grouping
    self.maximumAge = maximumAge?.nanoseconds ?? .max
    inputs = .allocate(capacity: max(1, program.inputs.count))
    stack = .allocate(capacity: program.height)
    inputs.initialize(repeating: 0, count: max(1, program.inputs.count))
    stack.initialize(repeating: 0, count: program.height)
  }

  deinit {
    inputs.deallocate()
    stack.deallocate()
  }

  func grow(to count: Int) {
    cells.grow(to: count)
    scopes.grow(to: count)
  }

  /// Which of the expression's predicates hold of the series.
  func predicates(of series: SeriesDescription) -> UInt32 {
    var bits: UInt32 = 0
    for (place, input) in program.inputs.enumerated() {
      if case .predicate(let predicate) = input, predicate.holds(of: series) { bits |= 1 << place }
    }
    return bits
  }

  /// Puts the slot into its scope if the expression reads it, or if `isSubject`. The scope; nil where it has none.
  func describe(slot: Int, _ series: SeriesDescription, isSubject: Bool) -> Int32? {
    forget(slot: slot)
    let places = program.inputs.indices.filter { place in
      switch program.inputs[place] {
      case .property(let name): name == series.property
      case .figure(_, let pattern): pattern.matches(series.property)
      case .value, .quality, .age, .predicate: false
      }
    }
    guard isSubject || !places.isEmpty, let key = key(of: series) else { return nil }
    let scope = keys[key] ?? add(key)
    scopes[slot] = scope
    for place in places { members[Int(scope) * program.inputs.count + place].append(Int32(truncatingIfNeeded: slot)) }
    if !places.isEmpty {
      cells.cells[slot].isMember = true
      predicates[Int(scope)] = predicates(of: series)
    }
    return scope
  }

  /// The device, or the group under a name that no device can have: `label=value`.
  func key(of series: SeriesDescription) -> DeviceKey? {
    switch grouping {
    case .device: series.device
    case .label(let label):
      series.labels[label].map { DeviceKey(namespace: series.device.namespace, name: "\(label)=\($0)") }
    }
  }

  private func add(_ key: DeviceKey) -> Int32 {
    let scope = Int32(truncatingIfNeeded: predicates.count)
    keys[key] = scope
    members.append(contentsOf: repeatElement([], count: program.inputs.count))
    predicates.append(0)
    triggers.grow(to: predicates.count)
    return scope
  }

  /// Takes the slot out of its scope; its last value stays, for a change of labels.
  private func forget(slot: Int) {
    let scope = scopes[slot]
    guard scope >= 0 else { return }
    let first = Int(scope) * program.inputs.count
    for place in first..<first + program.inputs.count { members[place].removeAll { Int($0) == slot } }
    scopes[slot] = -1
    cells.cells[slot].isMember = false
  }

  /// Takes the slot out of its scope for good: it gets no more samples.
  func remove(slot: Int) {
    forget(slot: slot)
    cells[slot] = Cell()
  }

  // MARK: Samples

  /// Whether the scope has a trigger of another source time, which has to be evaluated before what comes now.
  func isOverdue(_ scope: Int32, at time: Int64) -> Bool {
    guard grouping == .device else { return false }
    let trigger = triggers.cells[Int(scope)]
    return trigger.isPending && trigger.time != time
  }

  /// Takes a sample that the expression reads, if it is not older than the last known one, and marks its scope as one to
  /// evaluate.
  func take(_ columns: BatchColumns, _ row: Int, _ slot: Int32) {
    let cell = cells.cells + Int(slot)
    let time = columns.sourceTimes[row]
    guard cell.pointee.isMember, time >= cell.pointee.time else { return }
    let number = columns.number(at: row)
    cell.pointee.value = number ?? .nan
    cell.pointee.time = time
    cell.pointee.quality = number == nil ? Quality.bad.rawValue : columns.qualities[row].rawValue
    let scope = scopes.cells[Int(slot)]
    let trigger = triggers.cells + Int(scope)
    if !trigger.pointee.isPending { pending.append(scope) }
    trigger.pointee.isPending = true
    trigger.pointee.time = max(trigger.pointee.time, time)
    trigger.pointee.arrival = max(trigger.pointee.arrival, columns.gatewayTimes[row])
  }

  /// The newest source time and arrival of what the scope has taken: it is evaluated at these. Its trigger is pending no
  /// longer.
  func trigger(of scope: Int32) -> (time: Int64, arrival: Int64) {
    triggers.cells[Int(scope)].isPending = false
    return (triggers.cells[Int(scope)].time, triggers.cells[Int(scope)].arrival)
  }

  func isPending(_ scope: Int32) -> Bool { triggers.cells[Int(scope)].isPending }

  func clearPending() { pending.removeAll(keepingCapacity: true) }

  /// Moves the time of the slot's last known number. Its scope's newest time follows from the samples that come.
  func moveTimes(of slot: Int, by nanoseconds: Int64) {
    guard cells[slot].quality != Self.unknown else { return }
    cells.cells[slot].time &+= nanoseconds
    guard scopes[slot] >= 0 else { return }
    triggers.cells[Int(scopes[slot])].time = .min
    triggers.cells[Int(scopes[slot])].arrival = .min
  }

  // MARK: Results

  /// The expression's result in a scope (-1: it reads none) at a source time.
  func outcome(in scope: Int32, at time: Int64, of subject: Subject? = nil) -> Outcome {
    var quality = subject?.quality ?? .good
    for (place, input) in program.inputs.enumerated() {
      switch input {
      case .value: inputs[place] = subject?.value ?? .nan
      case .quality: inputs[place] = Double((subject?.quality ?? .good).rawValue)
      case .age: inputs[place] = subject?.ageSeconds ?? 0
      case .predicate:
        let bits = subject?.predicates ?? (scope >= 0 ? predicates[Int(scope)] : 0)
        inputs[place] = Double(bits >> UInt32(place) & 1)
      case .property:
        guard scope >= 0, let cell = newest(members[Int(scope) * program.inputs.count + place]) else {
          return .unknown(cause: "missing")
        }
        if isStale(cell, at: time) { return .unknown(cause: "stale") }
        if cell.quality == Quality.bad.rawValue { return .bad }
        if cell.quality != Quality.good.rawValue { quality = .uncertain }
        inputs[place] = cell.value
      case .figure(let figure, _):
        let slots = scope >= 0 ? members[Int(scope) * program.inputs.count + place] : []
        guard let (result, isWhole) = self.figure(figure, slots, at: time) else { return .unknown(cause: "missing") }
        if !isWhole, quality == .good { quality = .uncertain }
        inputs[place] = result
      }
    }
    program.run(inputs: inputs, stride: 1, count: 1, stack: stack)
    return stack[0].isFinite ? .value(stack[0], quality) : .bad
  }

  private func isStale(_ cell: Cell, at time: Int64) -> Bool {
    let (age, overflow) = time.subtractingReportingOverflow(cell.time)
    return overflow || age > maximumAge
  }

  private func newest(_ slots: [Int32]) -> Cell? {
    var newest: Cell?
    for slot in slots {
      let cell = cells.cells[Int(slot)]
      if cell.quality != Self.unknown, cell.time >= newest?.time ?? .min { newest = cell }
    }
    return newest
  }

  /// The figure over what is known, not too old and not Bad, and whether that is everything and all Good. Nil where
  /// there is nothing to compute it of.
  private func figure(
    _ figure: ExpressionInput.Figure, _ slots: [Int32], at time: Int64
  ) -> (result: Double, isWhole: Bool)? {
    var (sum, least, greatest, count, isWhole) = (0.0, Double.infinity, -Double.infinity, 0, true)
    for slot in slots {
      let cell = cells.cells[Int(slot)]
      guard cell.quality < Quality.bad.rawValue, !isStale(cell, at: time) else {
        isWhole = false
        continue
      }
      if cell.quality != Quality.good.rawValue { isWhole = false }
      sum += cell.value
      least = min(least, cell.value)
      greatest = max(greatest, cell.value)
      count += 1
    }
    switch figure {
    case .count: return (Double(count), isWhole)
    case _ where count == 0: return nil
    case .sum: return (sum, isWhole)
    case .avg: return (sum / Double(count), isWhole)
    case .min: return (least, isWhole)
    case .max: return (greatest, isWhole)
    }
  }

  // MARK: State

  func save(slot: Int, to output: inout ByteWriter) {
    let cell = cells[slot]
    guard cell.quality != Self.unknown else { return }
    output.byte(cell.quality)
    output.fixed(cell.value)
    output.fixed(cell.time)
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    cells.cells[slot].quality = try input.byte()
    cells.cells[slot].value = try input.double()
    cells.cells[slot].time = try input.fixed()
    guard scopes[slot] >= 0 else { return }
    let trigger = triggers.cells + Int(scopes[slot])
    trigger.pointee.time = max(trigger.pointee.time, cells[slot].time)
  }
}
