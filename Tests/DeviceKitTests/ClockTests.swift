import DeviceKit
import Documents
import Synchronization
import Testing

private let second: Int64 = 1_000_000_000
/// 2027-01-15, a moment at which the program was there.
private let built: Int64 = 1_800_000_000 * second

@Suite struct ClockTests {
  /// A machine's clocks, of which the wall clock may be set.
  private struct Machine {
    var boot = "first"
    var sinceBoot: Int64 = 5 * second
    var wall: Int64
    var isSynchronised = false
    var history = ClockHistory()

    var reading: ClockReading { ClockReading(wall: wall, boot: sinceBoot, isSynchronised: isSynchronised) }
    var discipline: ClockDiscipline {
      ClockDiscipline(boot: boot, history: history, earliest: built, reading)
    }
    mutating func pass(_ seconds: Int64) {
      sinceBoot += seconds * second
      wall += seconds * second
    }
    /// Stops after `discipline` has kept what it knows, and starts again an hour later.
    mutating func restart(as name: String, _ discipline: ClockDiscipline, wall: Int64) {
      var discipline = discipline
      discipline.note(sinceBoot)
      history = ClockHistory(json: discipline.history.json) ?? ClockHistory()
      (boot, sinceBoot, self.wall) = (name, 3 * second, wall)
    }
  }

  private final class Shared: Sendable {
    let state: Mutex<Machine>
    init(_ machine: Machine) { state = Mutex(machine) }
  }

  @Test func `a clock that is set shows the wall time, and small differences are no step`() {
    var machine = Machine(wall: built + 100 * second)
    var clock = machine.discipline
    #expect(clock.stamp(machine.sinceBoot) == machine.wall)
    machine.pass(10)
    machine.wall += 150_000_000
    #expect(clock.handle(machine.reading) == nil)
    #expect(clock.stamp(machine.sinceBoot) == machine.wall)
    #expect(clock.shown(machine.sinceBoot) == machine.wall)
    #expect(clock.history.eras.count == 1)
  }

  @Test(arguments: [-7_200, -1, 1, 7_200] as [Int64])
  func `a clock that is set by more is told once, and goes on from there`(seconds: Int64) {
    var machine = Machine(wall: built + 10_000 * second)
    var clock = machine.discipline
    machine.pass(60)
    let before = machine.wall
    machine.wall += seconds * second
    #expect(
      clock.handle(machine.reading) == ClockStep(by: seconds * second, from: before, sinceBoot: machine.sinceBoot))
    #expect(clock.handle(machine.reading) == nil)
    machine.pass(5)
    #expect(clock.stamp(machine.sinceBoot) == machine.wall)
    // What was taken ten seconds before the step is fifteen seconds old, whatever the clock says.
    #expect(clock.history.age(of: before - 10 * second, at: machine.wall) == 15 * second)
    // A sample on its way since a second before it goes along.
    #expect(
      clock.history.stamp(shownAs: before - second, now: machine.wall) == before + (seconds - 1) * second
        || seconds == -1)
    #expect(clock.history.setBackUntil(machine.wall) == (seconds < -5 ? before : nil))
  }

  @Test func `before a clock is set its stamps are told apart, and have their time once it is`() throws {
    var machine = Machine(wall: 77 * second)
    var clock = machine.discipline
    let first = clock.stamp(machine.sinceBoot)
    #expect(ClockHistory.unset.contains(first))
    #expect(clock.shown(machine.sinceBoot) == built, "the least that it can be")
    #expect(clock.history.isAwaited(first))
    machine.pass(40)
    #expect(clock.handle(machine.reading) == nil)
    let shown = clock.shown(machine.sinceBoot)
    #expect(shown == built + 40 * second)
    #expect(clock.history.stamp(shownAs: shown, now: clock.stamp(machine.sinceBoot)) == first + 40 * second)
    machine.wall = built + 500_000 * second
    let told = clock.handle(machine.reading)
    let step = try #require(told)
    #expect(step.isFirst)
    #expect(step.from + step.by == machine.wall)
    machine.pass(20)
    #expect(clock.history.shown(first).time == machine.wall - 60 * second)
    #expect(clock.history.shown(first).unsetBoot == nil)
    #expect(clock.history.age(of: first, at: machine.wall) == 60 * second)
    // A sample that was shown the least time is stamped as what it was.
    #expect(clock.history.stamp(shownAs: shown, now: machine.wall) == machine.wall - 20 * second)
    #expect(!clock.history.isAwaited(first))
  }

  @Test func `starts that never got a clock keep their order, and say which they were`() {
    var machine = Machine(wall: 50 * second)
    var clock = machine.discipline
    var stamps: [Int64] = []
    for name in ["second", "third", "fourth"] {
      stamps.append(clock.stamp(machine.sinceBoot))
      machine.pass(100)
      stamps.append(clock.stamp(machine.sinceBoot))
      machine.restart(as: name, clock, wall: 20 * second)
      clock = machine.discipline
    }
    #expect(stamps == stamps.sorted() && Set(stamps).count == stamps.count)
    machine.wall = built + 1_000_000 * second
    #expect(clock.handle(machine.reading)?.isFirst == true)
    let shown = stamps.map { clock.history.shown($0) }
    #expect(shown.map(\.unsetBoot) == ["first", "first", "second", "second", "third", "third"])
    #expect(shown.map(\.time) == shown.map(\.time).sorted())
    #expect(shown[0].time == built && shown[5].time >= built + 300 * second)
    #expect(shown[5].time < machine.wall)
  }

  @Test func `a wall clock from before the latest time on disk is believed only for a reason`() {
    var machine = Machine(wall: built + 100_000 * second)
    var clock = machine.discipline
    machine.pass(10)
    machine.restart(as: "second", clock, wall: built + 5_000 * second)
    #expect(ClockHistory.unset.contains(machine.discipline.stamp(machine.sinceBoot)))
    #expect(machine.discipline.shown(machine.sinceBoot) >= built + 100_010 * second)

    var followed = machine
    followed.isSynchronised = true
    #expect(followed.discipline.stamp(followed.sinceBoot) == followed.wall, "the kernel follows another clock")

    clock = machine.discipline
    machine.pass(599)
    #expect(clock.handle(machine.reading) == nil)
    #expect(clock.history.isAwaited)
    machine.pass(2)
    #expect(clock.handle(machine.reading)?.isFirst == true, "nobody has set it for ten minutes")
    #expect(clock.stamp(machine.sinceBoot) == machine.wall)
  }

  @Test func `a wall clock from before the program is never believed`() {
    var machine = Machine(wall: built + 100 * second)
    var clock = machine.discipline
    machine.wall = 12 * second
    machine.sinceBoot += 1_000 * second
    #expect(clock.handle(machine.reading) == nil)
    #expect(clock.stamp(machine.sinceBoot) == built + 1_100 * second, "time goes on as before")

    var other = Machine(wall: 12 * second)
    var unset = other.discipline
    other.pass(700)
    #expect(unset.handle(other.reading) == nil)
    #expect(!unset.history.isAwaited, "what was taken is no longer held back for it")
  }

  @Test func `a start of the program alone goes on with the machine's clock, and finds a step that came in between`() {
    var machine = Machine(wall: built + 10_000 * second)
    var clock = machine.discipline
    machine.pass(10)
    clock.note(machine.sinceBoot)
    machine.history = clock.history
    machine.pass(30)
    machine.wall -= 3_600 * second
    clock = machine.discipline
    #expect(clock.stamp(machine.sinceBoot) == machine.wall + 3_600 * second)
    #expect(clock.handle(machine.reading)?.by == -3_600 * second)
  }

  @Test func `what is kept on disk is read back, and other documents are refused`() throws {
    var machine = Machine(wall: 5 * second)
    var clock = machine.discipline
    machine.wall = built + second
    _ = clock.handle(machine.reading)
    let history = try #require(ClockHistory(json: clock.history.json))
    #expect(history.eras == clock.history.eras)
    #expect(ClockHistory(json: [:]) == nil)
    #expect(ClockHistory(json: ["eras": [["boot": "x", "offset": 5]]]) == nil)
  }

  @Test func `a batch on its way over a step gets the arrival that it had, and keeps a source's own times`() {
    let points = PointTable()
    let point = points.id(of: PointName(device: DeviceKey(namespace: "a", name: "b"), property: "c"))
    let machine = Shared(Machine(wall: 9 * second))
    let clock = GatewayClock(
      boot: "first", earliest: Timestamp(nanoseconds: built), read: { machine.state.withLock { $0.reading } },
      sinceBoot: { machine.state.withLock { $0.sinceBoot } })
    var batch = SampleBatch()
    let arrival = clock.wall.now.nanoseconds
    batch.append(point, .integer(1), quality: .good, sourceTime: arrival, gatewayTime: arrival)
    batch.append(point, .integer(2), quality: .good, sourceTime: 4_711, gatewayTime: arrival)
    machine.state.withLock { $0.pass(8) }
    let before = clock.stamped(batch)
    #expect(before.gatewayTimes == [clock.stamp - 8 * second, clock.stamp - 8 * second])
    #expect(before.sourceTimes == [clock.stamp - 8 * second, 4_711])
    machine.state.withLock { $0.wall = built + 900 * second }
    #expect(clock.pendingHistory()?.eras.count == 2)
    #expect(clock.step()?.isFirst == true)
    #expect(clock.pendingHistory() == nil)
    #expect(clock.stamped(batch).gatewayTimes == [built + 892 * second, built + 892 * second])
    #expect(clock.stamped(batch).sourceTimes == [built + 892 * second, 4_711])
  }
}
