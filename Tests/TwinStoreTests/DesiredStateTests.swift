import DeviceKit
import Documents
import Testing
import TwinStore

/// Drives one machine against a device of one register, by hand.
struct Bench {
  var machine = DesiredState()
  var now = Timestamp(seconds: 1_000)
  var transitions: [DesiredState.Transition] = []
  var reads: [DesiredState.Ticket] = []
  var writes: [(ticket: DesiredState.Ticket, value: Value)] = []
  var rules: WriteRules

  init(
    _ rules: WriteRules = WriteRules(), hold: DesiredState.WriteHold? = nil, canRead: Bool = true,
    isConnected: Bool = true
  ) {
    self.rules = rules
    send(.served(.init(rules: rules, canRead: canRead, hold: hold), nil))
    if isConnected { send(.connected) }
  }

  mutating func send(_ event: DesiredState.Event) {
    for directive in machine.handle(event, now: now) {
      switch directive {
      case .read(let ticket): reads.append(ticket)
      case .write(let ticket, let value): writes.append((ticket, value))
      case .transition(let transition): transitions.append(transition)
      case .wakeAt: break
      }
    }
  }

  mutating func wish(_ value: Double) {
    send(.desired(DesiredWish(value: .double(value), source: .spec, time: now), .success(.number(value))))
  }
  mutating func answerRead(_ value: Double) {
    let reading = Reading(.number(value), sourceTime: now, gatewayTime: now)
    send(.read(reads.last ?? 0, .success(reading)))
  }
  mutating func answerRead(_ error: DeviceError) { send(.read(reads.last ?? 0, .failure(error))) }
  mutating func answerWrite(_ error: DeviceError? = nil) { send(.written(writes.last?.ticket ?? 0, error)) }
  mutating func report(_ value: Double) {
    send(.reported(Reading(.number(value), sourceTime: now, gatewayTime: now)))
  }
  /// Goes to the time that the machine asked for.
  mutating func wake() {
    guard let next = machine.nextWake else { return }
    now = Swift.max(now, next)
    send(.tick)
  }
  mutating func confirm(_ value: Double) {
    wish(value)
    answerRead(value)
  }
  var phase: DesiredState.Phase? { machine.phase }
}

let timeout = DeviceError(reason: "Timeout", message: "no answer within 1 s")
let refusal = DeviceError(reason: "IllegalDataValue", message: "exception 3", isPermanent: true)

@Suite struct DesiredStateTests {
  @Test func `A value that the device holds already is Confirmed without a write`() {
    var bench = Bench()
    bench.wish(60)
    #expect(bench.phase == .pending && bench.reads.count == 1)
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.writes.isEmpty)
  }

  @Test func `A different value is written, read back and Confirmed`() {
    var bench = Bench()
    bench.wish(60)
    bench.answerRead(55)
    #expect(bench.phase == .writing && bench.writes.last?.value == .number(60))
    bench.answerWrite()
    #expect(bench.phase == .writing && bench.reads.count == 2)
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.machine.attempts == 1)
    #expect(bench.transitions.map(\.to) == [.pending, .writing, .confirmed])
  }

  @Test(arguments: [(0.0, 60.000_001, true), (0, 60.01, false), (0.5, 60.5, true), (0.5, 60.51, false)])
  func `Numbers count as equal within the tolerance and the stated epsilon`(
    tolerance: Double, read: Double, holds: Bool
  ) {
    var bench = Bench(WriteRules(tolerance: tolerance))
    bench.wish(60)
    bench.answerRead(read)
    #expect((bench.phase == .confirmed) == holds)
  }

  @Test
  func `A readback that never matches fails after the attempts, and is tried again with growing pauses up to 5 min`() {
    var bench = Bench(WriteRules(confirmWithin: .seconds(1), retries: 2))
    bench.wish(60)
    var pauses: [Duration] = []
    while pauses.count < 9 {
      bench.answerRead(55)
      if bench.machine.awaitedTicket == bench.writes.last?.ticket { bench.answerWrite() }
      if bench.phase == .failed, bench.machine.awaitedTicket == nil, let until = bench.machine.nextWake {
        let pause = until - bench.now
        // Shorter ones are the pauses between two readings.
        if pause >= .seconds(5) { pauses.append(pause) }
      }
      if bench.machine.awaitedTicket == nil { bench.wake() }
    }
    #expect(pauses.first == .seconds(5) && pauses[1] == .seconds(10) && pauses.last == .seconds(300))
    #expect(bench.machine.reason == "NotConfirmed" && bench.machine.message == "reads 55 after writing 60")
    bench.answerRead(60)
    #expect(bench.phase == .confirmed)
  }

  @Test func `A report that holds ends the pause after a failure without another write`() {
    var bench = Bench(WriteRules(retries: 1))
    bench.wish(60)
    bench.answerRead(55)
    bench.answerWrite(timeout)
    #expect(bench.phase == .failed)
    bench.report(60)
    #expect(bench.phase == .confirmed && bench.writes.count == 1)
  }

  @Test func `A refusal by the device is Rejected and never tried again until the wish changes`() {
    var bench = Bench()
    bench.wish(60)
    bench.answerRead(55)
    bench.answerWrite(refusal)
    #expect(bench.phase == .rejected && bench.machine.nextWake == nil)
    bench.send(.disconnected)
    bench.send(.connected)
    bench.report(10)
    bench.send(.tick)
    #expect(bench.writes.count == 1 && bench.phase == .rejected)
    bench.wish(61)
    bench.answerRead(55)
    #expect(bench.writes.count == 2)
  }

  @Test func `A transient refusal is tried again and confirmed`() {
    var bench = Bench()
    bench.wish(60)
    bench.answerRead(55)
    bench.answerWrite(timeout)
    #expect(bench.phase == .pending && bench.machine.message == timeout.message)
    bench.wake()
    bench.answerRead(55)
    bench.answerWrite()
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.machine.attempts == 2)
  }

  @Test(arguments: [DesiredState.WriteHold.writesDisabled, .readOnlyGateway])
  func `Without leave to write a wish is Held, and released when leave is given`(hold: DesiredState.WriteHold) {
    var bench = Bench(hold: hold)
    bench.wish(60)
    #expect(bench.phase == .held && bench.machine.reason == hold.reason && bench.reads.isEmpty)
    bench.send(.served(.init(rules: bench.rules), .success(.number(60))))
    #expect(bench.phase == .pending && bench.reads.count == 1)
    bench.answerRead(50)
    bench.send(.served(.init(rules: bench.rules, hold: hold), .success(.number(60))))
    #expect(bench.phase == .held && bench.machine.awaitedTicket == nil)
  }

  @Test func `Drift is looked at first and written again`() {
    var bench = Bench()
    bench.confirm(60)
    bench.report(50)
    #expect(bench.phase == .confirmed && bench.writes.isEmpty && bench.reads.count == 2)
    bench.answerRead(50)
    #expect(bench.phase == .writing && bench.writes.count == 1)
  }

  @Test func `A report that was older than the confirmation writes nothing`() {
    var bench = Bench()
    bench.confirm(60)
    bench.report(50)
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.writes.isEmpty)
  }

  @Test func `Drift is Held where the model says so`() {
    var bench = Bench(WriteRules(onDrift: .hold))
    bench.confirm(60)
    bench.report(50)
    bench.answerRead(50)
    #expect(bench.phase == .held && bench.machine.reason == "Drifted" && bench.writes.isEmpty)
  }

  @Test func `The third overwrite within 10 min is Held, and one after a quiet time is not`() {
    var bench = Bench()
    bench.confirm(60)
    for _ in 0..<2 {
      bench.now = bench.now + .seconds(60)
      bench.report(50)
      bench.answerRead(50)
      bench.answerWrite()
      bench.answerRead(60)
      #expect(bench.phase == .confirmed)
    }
    var quiet = bench
    bench.report(50)
    bench.answerRead(50)
    #expect(bench.phase == .held && bench.machine.reason == "Overwritten" && bench.writes.count == 2)
    quiet.now = quiet.now + .seconds(601)
    quiet.report(50)
    quiet.answerRead(50)
    #expect(quiet.phase == .writing && quiet.writes.count == 3)
  }

  /// rule, whether the wish was confirmed before the link broke → what becomes of a device that returns with 50
  @Test(arguments: [
    (WriteRules.OnReconnect.reapply, true, DesiredState.Phase.writing), (.reapply, false, .writing),
    (.reapplyIfNewer, true, .held), (.reapplyIfNewer, false, .writing),
    (.hold, true, .held), (.hold, false, .held),
  ])
  func `The reconnection rule decides what is written`(
    rule: WriteRules.OnReconnect, wasConfirmed: Bool, expected: DesiredState.Phase
  ) {
    var bench = Bench(WriteRules(onReconnect: rule))
    bench.confirm(40)
    if wasConfirmed { bench.confirm(60) }
    bench.now = bench.now + .seconds(1)
    bench.send(.disconnected)
    if !wasConfirmed { bench.wish(60) }
    bench.send(.connected)
    bench.answerRead(50)
    #expect(bench.phase == expected)
    #expect(bench.writes.isEmpty == (expected == .held))
  }

  @Test(arguments: WriteRules.OnReconnect.allCases)
  func `A reading that fails after a reconnection does not lift the rule`(rule: WriteRules.OnReconnect) {
    var bench = Bench(WriteRules(onReconnect: rule))
    bench.confirm(40)
    bench.send(.disconnected)
    bench.wish(60)
    bench.send(.connected)
    bench.answerRead(timeout)
    bench.wake()
    bench.answerRead(50)
    #expect(bench.writes.isEmpty == (rule == .hold))
  }

  @Test func `A value that still holds after a reconnection stays Confirmed without a write`() {
    var bench = Bench()
    bench.confirm(60)
    bench.send(.disconnected)
    bench.send(.connected)
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.writes.isEmpty)
    #expect(bench.transitions.count == 2)
  }

  @Test func `A wish that is not confirmed in its time Expires and is not written later`() {
    var bench = Bench(WriteRules(expireAfter: .seconds(60)), isConnected: false)
    bench.wish(60)
    #expect(bench.machine.nextWake == bench.now + .seconds(60))
    bench.wake()
    #expect(bench.phase == .expired)
    bench.send(.connected)
    #expect(bench.reads.isEmpty && bench.writes.isEmpty)
  }

  @Test func `A Confirmed wish past its time is not applied again`() {
    var bench = Bench(WriteRules(expireAfter: .seconds(60)))
    bench.confirm(60)
    bench.now = bench.now + .seconds(61)
    bench.send(.tick)
    #expect(bench.phase == .confirmed)
    bench.report(50)
    bench.answerRead(50)
    #expect(bench.phase == .expired && bench.writes.isEmpty)
  }

  @Test func `The answer to an earlier wish changes nothing`() {
    var bench = Bench()
    bench.wish(60)
    bench.answerRead(50)
    let stale = bench.writes[0].ticket
    bench.wish(70)
    bench.send(.written(stale, nil))
    #expect(bench.phase == .pending)
    bench.answerRead(60)
    #expect(bench.writes.last?.value == .number(70))
  }

  @Test func `A cleared wish leaves nothing to do`() {
    var bench = Bench()
    bench.wish(60)
    bench.send(.cleared)
    bench.answerRead(50)
    #expect(bench.phase == nil && bench.writes.isEmpty && bench.machine.nextWake == nil)
  }

  @Test func `What the model forbids is Rejected with its message, and taken once the model allows it`() {
    var bench = Bench()
    let wish = DesiredWish(value: 60.5, source: .spec, time: bench.now)
    bench.send(.desired(wish, .failure(.init(reason: "OutOfBounds", message: "60.5 is above the maximum 60 degC"))))
    #expect(bench.phase == .rejected && bench.machine.message == "60.5 is above the maximum 60 degC")
    bench.send(.served(.init(rules: bench.rules), .success(.number(60.5))))
    #expect(bench.phase == .pending)
  }

  @Test func `A property that cannot be read is Confirmed by the device's word and not written again`() {
    var bench = Bench(canRead: false)
    bench.wish(60)
    #expect(bench.reads.isEmpty && bench.writes.count == 1)
    bench.answerWrite()
    #expect(bench.phase == .confirmed)
    bench.send(.disconnected)
    bench.send(.connected)
    #expect(bench.writes.count == 1)
  }

  @Test func `After a restart a Confirmed value is read first and nothing is written that holds`() {
    var bench = Bench()
    bench.confirm(60)
    bench.machine = DesiredState(wish: bench.machine.wish, record: bench.machine.record)
    bench.send(.served(.init(rules: bench.rules), .success(.number(60))))
    #expect(bench.phase == .confirmed)
    bench.send(.connected)
    #expect(bench.writes.isEmpty)
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.writes.isEmpty)
  }

  @Test func `An executor that went away is asked again`() {
    var bench = Bench()
    bench.wish(60)
    bench.answerRead(50)
    bench.send(.interrupted)
    #expect(bench.reads.count == 2)
    bench.answerRead(60)
    #expect(bench.phase == .confirmed && bench.writes.count == 1)
  }
}
