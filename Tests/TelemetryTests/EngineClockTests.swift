import DeviceKit
import Documents
import Foundation
import SinkKit
import Synchronization
import Telemetry
import Testing

/// The clocks of a machine whose wall clock may be set.
private final class MachineClocks: Sendable {
  private struct State {
    var boot = 1
    var sinceBoot: Int64 = 10 * second
    var wall: Int64
  }
  /// When the program came to be.
  static let built: Int64 = 1_800_000_000 * second
  private let state: Mutex<State>

  init(wall: Int64) { state = Mutex(State(wall: wall)) }

  var wall: Int64 { state.withLock { $0.wall } }
  func pass(_ duration: Duration) {
    state.withLock {
      $0.sinceBoot += duration.nanoseconds
      $0.wall += duration.nanoseconds
    }
  }
  func set(to wall: Int64) { state.withLock { $0.wall = wall } }
  func step(by seconds: Int64) { state.withLock { $0.wall += seconds * second } }
  /// The machine starts again, with this wall clock.
  func boot(wall: Int64) {
    state.withLock { $0 = State(boot: $0.boot + 1, sinceBoot: 10 * second, wall: wall) }
  }

  func gatewayClock(_ folder: String) -> GatewayClock {
    GatewayClock(
      boot: "boot-\(state.withLock { $0.boot })", history: ClockFile.load(in: folder),
      earliest: Timestamp(nanoseconds: Self.built),
      read: { self.state.withLock { ClockReading(wall: $0.wall, boot: $0.sinceBoot) } },
      sinceBoot: { self.state.withLock { $0.sinceBoot } })
  }
}

/// An engine on such a machine, that may be killed.
private final class Box {
  let folder: String
  let clocks: MachineClocks
  let memory = MemorySink()
  private var plant = Plant()
  private(set) var clock: GatewayClock
  private(set) var engine: TelemetryEngine
  private var running: Task<Void, Never>?
  private let pipeline: PipelineDefinition
  private let sink: SinkDefinition

  init(_ folder: String, wall: Int64, stages: String, durability: String = "Checkpoint") async throws {
    self.folder = folder
    clocks = MachineClocks(wall: wall)
    pipeline = PipelineDefinition(
      key: "default/p",
      spec: try JSONValue(
        parsing: #"{"stages": [\#(stages)], "to": [{"name": "cloud"}], "durability": "\#(durability)"}"#))
    sink = SinkDefinition(
      key: "default/cloud",
      spec: try JSONValue(parsing: #"{"memory": {}, "batch": {"maxDelay": "0s"}, "buffer": {"maxAge": "24h"}}"#))
    clock = clocks.gatewayClock(folder)
    engine = plant.engine(folder, [memory], clock)
    await start()
  }

  private func start() async {
    let engine = engine
    await engine.apply(pipelines: [pipeline], sinks: [sink])
    running = Task { await engine.run() }
  }

  /// Ends the engine as a kill does, and starts it again; the machine may have been started anew meanwhile.
  func kill(meanwhile: () -> Void = {}) async {
    running?.cancel()
    await running?.value
    meanwhile()
    plant = Plant()
    clock = clocks.gatewayClock(folder)
    engine = plant.engine(folder, [memory], clock)
    await start()
  }

  func stop() async {
    running?.cancel()
    await running?.value
  }

  /// Hands over a number of a device. Without a time of the source's it is stamped as a session does.
  func take(_ number: Int64, of device: Int = 0, at time: Int64? = nil) async {
    let now = clock.wall.now.nanoseconds
    var batch = SampleBatch()
    batch.add(plant.point(device), .integer(number), at: time ?? now, arrival: now)
    await engine.ingest(batch)
  }

  /// Waits until the engine has noticed how its machine's clock stands, and sent what it may.
  func settle() async {
    for _ in 0..<3 { await engine.tick() }
  }

  func delivered(_ count: Int) async -> Bool {
    await eventually {
      if self.memory.received.count >= count { return true }
      // A sink that was down waits before it tries again.
      self.clocks.pass(.milliseconds(100))
      return false
    }
  }

  func values() -> [Int64] {
    memory.received.compactMap { record in
      if case .integer(let value)? = record.fields.first?.value { value } else { nil }
    }
  }
}

private let counting = #"{"aggregate": {"window": {"tumbling": "10s"}, "functions": ["count", "min", "max"]}}"#

@Suite(.timeLimit(.minutes(5))) struct EngineClockTests {
  @Test(arguments: ["Checkpoint", "Journal"], [false, true])
  func `what is taken before the clock is set waits for its time, and gets it`(
    durability: String, isKilled: Bool
  ) async throws {
    try await withFolder { folder in
      let box = try await Box(folder, wall: 3 * second, stages: "", durability: durability)
      for number in 1...20 as ClosedRange<Int64> {
        await box.take(number)
        await box.take(100 + number, of: 1, at: MachineClocks.built - number * second)
        box.clocks.pass(.seconds(1))
      }
      #expect(await box.engine.commit())
      await box.settle()
      #expect(box.memory.received.isEmpty, "their time is not known yet")
      if isKilled { await box.kill() }
      // Two years later than the program, and long after what is kept would be too old.
      let now = MachineClocks.built + 700 * 86_400 * second
      box.clocks.set(to: now)
      await box.settle()
      #expect(await box.delivered(40))
      let own = box.memory.received.filter { $0.series.device.name == "d0" }
      let ownTimes = (0..<20 as Range<Int64>).map { now - (20 - $0) * second }
      #expect(own.map(\.time.nanoseconds) == ownTimes)
      #expect(own.map(\.quality) == Array(repeating: .good, count: 20))
      let other = box.memory.received.filter { $0.series.device.name == "d1" }
      let otherTimes = (1...20 as ClosedRange<Int64>).map { MachineClocks.built - $0 * second }
      #expect(other.map(\.time.nanoseconds) == otherTimes)
      await box.stop()
    }
  }

  @Test func `windows of a clock that is set end there, and have their time`() async throws {
    try await withFolder { folder in
      let box = try await Box(folder, wall: 3 * second, stages: counting)
      for number in 1...25 as ClosedRange<Int64> {
        await box.take(number)
        box.clocks.pass(.seconds(1))
      }
      let now = MachineClocks.built + 1_003 * second
      box.clocks.set(to: now)
      await box.settle()
      for number in 26...60 as ClosedRange<Int64> {
        await box.take(number)
        box.clocks.pass(.seconds(1))
      }
      box.clocks.pass(.seconds(60))
      await box.settle()
      #expect(await eventually { box.values().reduce(0, +) == 60 })
      let records = box.memory.received
      #expect(records.map(\.time) == records.map(\.time).sorted())
      for record in records {
        let (start, end) = (try #require(record.windowStart).nanoseconds, record.time.nanoseconds)
        #expect(end - start == 10 * second)
        #expect(start > now - 40 * second && end < now + 60 * second)
      }
      // Those that began after it are aligned to wall time.
      let after = records.filter { ($0.windowStart?.nanoseconds ?? 0) >= now }
      #expect(after.count >= 3)
      #expect(after.allSatisfy { ($0.windowStart?.nanoseconds ?? 1) % (10 * second) == 0 })
      #expect(await box.engine.status().pipelines[0].stages.allSatisfy { $0.counters.dropped.isEmpty })
      await box.stop()
    }
  }

  @Test func `records of a start that never got a clock say so, and keep their order`() async throws {
    try await withFolder { folder in
      let box = try await Box(folder, wall: 3 * second, stages: "")
      box.memory.behave { _, _ in MemorySink.down }
      for start in 0..<3 as Range<Int64> {
        for number in 1...5 as ClosedRange<Int64> {
          await box.take(start * 5 + number)
          box.clocks.pass(.seconds(30))
        }
        await box.engine.tick()
        await box.kill { box.clocks.boot(wall: 3 * second) }
      }
      await box.take(16)
      box.clocks.set(to: MachineClocks.built + 86_400 * second)
      await box.settle()
      box.memory.behave { _, _ in .delivered }
      #expect(await box.delivered(16))
      let records = box.memory.received
      #expect(box.values() == Array(1...16))
      #expect(records.map(\.sequence) == Array(1...16))
      #expect(records.map(\.time) == records.map(\.time).sorted())
      var boots = (1...3).flatMap { [String?](repeating: "boot-\($0)", count: 5) }
      boots.append(nil)
      #expect(records.map { $0.series.labels["boot"] } == boots)
      #expect(records.dropLast().allSatisfy { $0.quality == .uncertain })
      #expect(records.last?.quality == .good)
      #expect(records.allSatisfy { $0.time.nanoseconds >= MachineClocks.built })
      await box.stop()
    }
  }

  @Test func `a clock that nobody sets holds nothing back for ever`() async throws {
    try await withFolder { folder in
      let box = try await Box(folder, wall: 3 * second, stages: "")
      await box.take(1)
      await box.settle()
      #expect(box.memory.received.isEmpty)
      box.clocks.pass(.seconds(601))
      await box.settle()
      #expect(await box.delivered(1))
      #expect(box.memory.received.first?.series.labels["boot"] == "boot-1")
      await box.stop()
    }
  }

  @Test(arguments: [172_800, -172_800] as [Int64])
  func `a clock that is set by days makes nothing in the spool too old`(jump: Int64) async throws {
    try await withFolder { folder in
      let box = try await Box(folder, wall: MachineClocks.built + 1_000_000 * second, stages: "")
      box.memory.behave { _, _ in MemorySink.down }
      for number in 1...10 as ClosedRange<Int64> {
        await box.take(number)
        box.clocks.pass(.seconds(1))
      }
      box.clocks.step(by: jump)
      await box.settle()
      await box.kill()
      await box.take(11)
      await box.settle()
      box.memory.behave { _, _ in .delivered }
      #expect(await box.delivered(11))
      #expect(box.values() == Array(1...11))
      #expect(await box.engine.status().sinks[0].spool.droppedTotal == 0)
      await box.stop()
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4], ["Checkpoint", "Journal"])
  func `steps of the clock at any moment neither lose nor double a reading, nor a window`(
    seed: UInt64, durability: String
  ) async throws {
    try await withFolder { folder in
      let box = try await Box(
        folder, wall: MachineClocks.built + 1_000_000 * second,
        stages: #"{"filter": {"quality": ["Good"]}}, \#(counting)"#, durability: durability)
      var generator = SplitMix64(seed: seed)
      var (steps, kills) = (0, 0)
      // The source's own clock; device 1 goes by it, and it is never set.
      var own = MachineClocks.built + 999_000 * second
      let count: Int64 = 500
      for number in 1...count {
        let pause = Int64.random(in: 200...2_500, using: &generator)
        box.clocks.pass(.milliseconds(pause))
        own += pause * 1_000_000
        await box.take(number)
        await box.take(number, of: 1, at: own)
        if Int.random(in: 0..<25, using: &generator) == 0 {
          box.clocks.step(by: [-3_600, -61, -5, -1, 1, 3, 20, 90, 7_200].randomElement(using: &generator) ?? 1)
          steps += 1
        }
        if Int.random(in: 0..<4, using: &generator) == 0 { await box.engine.tick() }
        #expect(await box.engine.commit())
        if durability == "Journal", Int.random(in: 0..<50, using: &generator) == 0 {
          await box.kill()
          kills += 1
        }
      }
      #expect(steps > 5 && (kills > 3 || durability == "Checkpoint"))
      box.clocks.pass(.seconds(20_000))
      await box.settle()
      let engine = box.engine
      _ = await eventually {
        let status = await engine.status()
        return status.pipelines[0].openWindows == 0 && status.sinks[0].spool.held == 0
      }
      let status = await engine.status()
      #expect(status.pipelines[0].stages.allSatisfy { $0.counters.dropped.isEmpty })
      for device in ["d0", "d1"] {
        let records = box.memory.received.filter { $0.series.device.name == device }
        let unique = Dictionary(records.map { ($0.sequence, $0) }, uniquingKeysWith: { first, _ in first })
        #expect(unique.keys.sorted() == (0..<unique.count).map { UInt64($0 + 1) })
        let starts = unique.values.map { $0.windowStart?.nanoseconds ?? 0 }
        #expect(Set(starts).count == starts.count, "\(device): a window was put out twice")
        var counted: [Int64: Int] = [:]
        for record in unique.values {
          let values = record.fields.compactMap { field -> Int64? in
            if case .integer(let value) = field.value { value } else { nil }
          }
          guard values.count == 3, values[0] == values[2] - values[1] + 1 else {
            Issue.record("\(device): a window counts \(values)")
            continue
          }
          for number in values[1]...values[2] { counted[number, default: 0] += 1 }
        }
        #expect(counted.values.allSatisfy { $0 == 1 }, "\(device): counted twice")
        #expect(Set(counted.keys) == Set(1...count), "\(device): lost")
        guard device == "d1" else { continue }
        #expect(starts.allSatisfy { $0 % (10 * second) == 0 }, "a source with its own clock notices nothing")
      }
      await box.stop()
    }
  }
}
