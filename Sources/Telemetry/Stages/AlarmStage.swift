internal import DeviceKit
internal import Documents
internal import SinkKit

/// Lets all samples pass, and makes a boolean sample of a series of its own whenever an alarm is raised (true) or cleared
/// (false).
///
/// A condition that reads the sample (`value`, `quality`, `age`) is watched for each series, and told as the property
/// `<property>-<alarm>`; one over properties alone for each device, as the property `<alarm>`. A sample that the condition
/// cannot be asked of changes nothing.
final class AlarmStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    var state = AlarmState()
    /// Gateway time minus source time of the newest moment.
    var skew: Int64 = 0
    var isWaiting = false
  }
  /// How much longer than a delay the gateway waits for a silent series: time for what is on its way through queues.
  private static let grace: Int64 = 500_000_000

  let name = "alarm"
  private(set) var counters = StageCounters()
  private(set) var dueAt = Int64.max
  private let alarm: PipelineSpecification.Alarm
  private let maker: SeriesMaker
  private let values: ScopeValues
  private let onDelay: Int64
  private let offDelay: Int64
  /// The alarm's slot by the slot that is watched, or by scope; -1: none.
  private var alarmOfSlot = SlotTable<Int32>(initial: -1)
  private var alarmOfScope: [Int32] = []
  private var predicates = SlotTable<UInt32>(initial: 0)
  /// By the alarm's slot.
  private var cells = SlotTable(initial: Cell())
  private var subjects: [Int32: SeriesDescription] = [:]
  /// Alarms whose delay runs or ran.
  private var waiting: [Int32] = []

  init(_ alarm: PipelineSpecification.Alarm, _ maker: SeriesMaker) {
    self.alarm = alarm
    self.maker = maker
    values = ScopeValues(alarm.condition.program, grouping: .device, maximumAge: alarm.maximumAge)
    onDelay = alarm.onDelay.nanoseconds
    offDelay = alarm.offDelay.nanoseconds
  }

  func grow(to count: Int) {
    values.grow(to: count)
    alarmOfSlot.grow(to: count)
    predicates.grow(to: count)
    cells.grow(to: count)
  }

  func describe(slot: Int, _ details: inout SeriesDetails) {
    let series = details.description
    predicates[slot] = values.predicates(of: series)
    let isSubject = alarm.isPerSeries && alarm.condition.readsProperties
    let scope = values.describe(slot: slot, series, isSubject: isSubject)
    guard alarm.isPerSeries || scope != nil else { return }
    var subject = series
    if !alarm.isPerSeries { (subject.property, subject.unit) = ("", "") }
    var description = subject
    description.property = alarm.isPerSeries ? "\(series.property)-\(alarm.name)" : alarm.name
    description.unit = ""
    let made = maker.slot(of: SeriesDetails(description))
    grow(to: maker.count)
    subjects[made] = subject
    if alarm.isPerSeries {
      alarmOfSlot[slot] = made
    } else if let scope {
      if Int(scope) == alarmOfScope.count { alarmOfScope.append(made) } else { alarmOfScope[Int(scope)] = made }
    }
  }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    counters.input += UInt64(selection.count)
    counters.output += UInt64(selection.count)
    flow.rewrite { made in
      for index in 0..<selection.count {
        let (row, slot) = (Int(selection.rows[index]), selection.slots[index])
        let scope = values.scopes.cells[Int(slot)]
        if scope >= 0 {
          if !alarm.isPerSeries, values.isOverdue(scope, at: columns.sourceTimes[row]) { watch(scope: scope, made) }
          values.take(columns, row, slot)
        }
        if alarm.isPerSeries { watch(columns, row, slot, made) }
        made.append(columns, row: row, slot: slot)
      }
      if !alarm.isPerSeries {
        for scope in values.pending where values.isPending(scope) { watch(scope: scope, made) }
      }
      values.clearPending()
    }
  }

  private func watch(_ columns: BatchColumns, _ row: Int, _ slot: Int32, _ made: SampleColumns) {
    let place = alarmOfSlot.cells[Int(slot)]
    let number = columns.number(at: row)
    let scope = values.scopes.cells[Int(slot)]
    if scope >= 0, values.isPending(scope) { _ = values.trigger(of: scope) }
    guard place >= 0, number != nil || !alarm.condition.program.readsValue else { return }
    let (time, arrival) = (columns.sourceTimes[row], columns.gatewayTimes[row])
    let subject = ScopeValues.Subject(
      value: number ?? .nan, quality: columns.qualities[row], ageSeconds: Double(arrival &- time) / 1e9,
      predicates: predicates.cells[Int(slot)])
    handle(values.outcome(in: scope, at: time, of: subject), place, time, arrival, made)
  }

  private func watch(scope: Int32, _ made: SampleColumns) {
    let (time, arrival) = values.trigger(of: scope)
    handle(values.outcome(in: scope, at: time), alarmOfScope[Int(scope)], time, arrival, made)
  }

  private func handle(
    _ outcome: ScopeValues.Outcome, _ place: Int32, _ time: Int64, _ arrival: Int64, _ made: SampleColumns
  ) {
    guard case .value(let marks, _) = outcome else { return }
    let cell = cells.cells + Int(place)
    if time >= cell.pointee.state.latest { cell.pointee.skew = arrival &- time }
    let (first, second) = cell.pointee.state.handle(
      isOn: marks == 1 || marks == 3, isOff: marks >= 2, at: time, onDelay: onDelay, offDelay: offDelay)
    if let first { tell(first, place, made) }
    if let second { tell(second, place, made) }
    wait(place)
  }

  private func tell(_ transition: AlarmState.Transition, _ place: Int32, _ made: SampleColumns) {
    let cell = cells.cells[Int(place)]
    made.append(
      slot: place, kind: .boolean, payload: transition.isRaised ? 1 : 0, quality: .good, sourceTime: transition.time,
      gatewayTime: transition.time &+ cell.skew)
    counters.made += 1
    counters.output += 1
    guard let subject = subjects[place] else { return }
    maker.report(
      AlarmTransition(
        alarm: alarm.name, severity: alarm.severity, isRaised: transition.isRaised, series: subject,
        time: Timestamp(nanoseconds: transition.time), message: alarm.message?.name(of: subject) ?? ""))
  }

  // MARK: Time

  private func due(_ place: Int32) -> Int64? {
    let cell = cells.cells[Int(place)]
    return cell.state.due(onDelay: onDelay, offDelay: offDelay).map { $0 &+ cell.skew &+ Self.grace }
  }

  private func wait(_ place: Int32) {
    guard let due = due(place) else { return }
    if !cells.cells[Int(place)].isWaiting { waiting.append(place) }
    cells.cells[Int(place)].isWaiting = true
    dueAt = min(dueAt, due)
  }

  /// A condition holds on while its series is silent: its delay ends by the gateway's clock.
  func advance(to now: Int64, _ flow: SampleFlow) {
    let former = waiting
    waiting = []
    dueAt = .max
    flow.rewrite { made in
      for place in former {
        cells.cells[Int(place)].isWaiting = false
        if let due = due(place), due <= now {
          let ended = cells.cells[Int(place)].state.elapse(to: .max, onDelay: onDelay, offDelay: offDelay)
          if let ended { tell(ended, place, made) }
        }
        wait(place)
      }
    }
  }

  func moveTimes(of slot: Int, by nanoseconds: Int64) { values.moveTimes(of: slot, by: nanoseconds) }

  /// An alarm whose series has the gateway's times goes along; for another one the gateway's clock is further ahead.
  func clockStepped(by nanoseconds: Int64) {
    dueAt = .max
    for place in 0..<cells.count where cells.cells[place].state != AlarmState() {
      let cell = cells.cells + place
      if cell.pointee.skew == 0 {
        cell.pointee.state.since &+= nanoseconds
        cell.pointee.state.latest &+= nanoseconds
      } else {
        cell.pointee.skew &+= nanoseconds
      }
      if cell.pointee.isWaiting, let due = due(Int32(truncatingIfNeeded: place)) { dueAt = min(dueAt, due) }
    }
  }

  /// A series that goes takes its alarm with it.
  func flush(slot: Int?, _ flow: SampleFlow) {
    guard let slot else { return }
    values.remove(slot: slot)
    let place = alarmOfSlot[slot]
    guard place >= 0, cells[Int(place)].state.isRaised else { return }
    flow.rewrite { made in
      tell(AlarmState.Transition(isRaised: false, time: cells[Int(place)].state.latest), place, made)
    }
    cells[Int(place)].state = AlarmState()
  }

  // MARK: State

  func save(slot: Int, to output: inout ByteWriter) {
    var known = ByteWriter()
    values.save(slot: slot, to: &known)
    let cell = cells[slot]
    guard !known.bytes.isEmpty || cell.state != AlarmState() else { return }
    output.blob(known.bytes)
    output.byte(cell.state.phase.rawValue)
    output.fixed(cell.state.since)
    output.fixed(cell.state.latest)
    output.fixed(cell.skew)
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    let known = try input.blob()
    var reader = ByteReader(known)
    if !known.isEmpty { try values.restore(slot: slot, from: &reader) }
    guard let phase = AlarmState.Phase(rawValue: try input.byte()) else { throw DecodingFault() }
    var cell = Cell()
    cell.state = AlarmState(phase: phase, since: try input.fixed(), latest: try input.fixed())
    cell.skew = try input.fixed()
    cells[slot] = cell
    wait(Int32(truncatingIfNeeded: slot))
  }
}
