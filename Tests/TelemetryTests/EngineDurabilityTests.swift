import DeviceKit
import Documents
import Foundation
import SinkKit
import Synchronization
import Telemetry
import Testing

/// A source that numbers its samples, an engine that is killed, and the account of every number.
private final class Line {
  let folder: String
  let clock = ManualClock()
  let memory = MemorySink()
  let sources: Int
  let definition: PipelineDefinition
  let sink: SinkDefinition
  private(set) var plant = Plant()
  private(set) var engine: TelemetryEngine
  private var running: Task<Void, Never>?
  /// The next number of each source.
  private(set) var next: [Int64]

  init(_ folder: String, sources: Int = 3, durability: String, window: String) async throws {
    self.folder = folder
    self.sources = sources
    next = [Int64](repeating: 1, count: sources)
    let functions = #"["count", "first", "last", "min", "max"]"#
    definition = PipelineDefinition(
      key: "default/p",
      spec: try JSONValue(
        parsing: """
          {"durability": "\(durability)", "to": [{"name": "cloud"}],
           "stages": [{"aggregate": {"window": {"tumbling": "\(window)"}, "functions": \(functions), "lateness": "1s"}}]}
          """))
    sink = SinkDefinition(
      key: "default/cloud", spec: try JSONValue(parsing: #"{"memory": {}, "batch": {"maxDelay": "0s"}}"#))
    engine = plant.engine(folder, [memory], clock)
    await start()
  }

  private func start() async {
    let engine = engine
    await engine.apply(pipelines: [definition], sinks: [sink])
    running = Task { await engine.run() }
  }

  /// One read of a broker: a number of each source, with the source's time.
  struct Message {
    var numbers: [Int64]
    var time: Int64
  }

  func produce() -> Message {
    defer { for source in next.indices { next[source] += 1 } }
    return Message(numbers: next, time: clock.now)
  }

  /// Hands a message over; it arrives now.
  func ingest(_ message: Message) async {
    var batch = SampleBatch()
    for (source, number) in message.numbers.enumerated() {
      let device = DeviceKey(namespace: "default", name: "d\(source)")
      let point = plant.points.id(of: PointName(device: device, property: "number"))
      batch.add(point, .integer(number), at: message.time, arrival: clock.now + 3_000_000)
    }
    await engine.ingest(batch)
  }

  /// Ends the engine as a kill does: what it holds in memory is gone.
  func kill() async {
    await stopWithoutCheckpoint()
    await startAnew()
  }

  func startAnew() async {
    plant = Plant()
    engine = plant.engine(folder, [memory], clock)
    await start()
  }

  func stopWithoutCheckpoint() async {
    running?.cancel()
    await running?.value
  }

  func finish() async {
    clock.advance(.seconds(100_000))
    await engine.tick()
    let engine = engine
    _ = await eventually {
      let status = await engine.status()
      return status.pipelines[0].openWindows == 0 && status.sinks[0].spool.held == 0
    }
    running?.cancel()
    await running?.value
  }

  struct Account {
    /// How often each number was counted, by source.
    var counted: [[Int64: Int]]
    /// Numbers between those of a window that it does not count, by source.
    var missing: [Int64]
    var hasGaps = false
    var isDisordered = false
  }

  /// Judges the records: a window of numbers first…last counts each once, or some number is missing or doubled in it.
  func account(allowsMissing: Bool = false) -> Account {
    var account = Account(
      counted: [[Int64: Int]](repeating: [:], count: sources), missing: [Int64](repeating: 0, count: sources))
    for source in 0..<sources {
      var seen: Set<UInt64> = []
      var last: UInt64 = 0
      for record in memory.received where record.series.device.name == "d\(source)" {
        guard seen.insert(record.sequence).inserted else { continue }
        if record.sequence != last + 1 { account.hasGaps = true }
        if record.sequence < last { account.isDisordered = true }
        last = record.sequence
        let values = record.fields.compactMap { field -> Int64? in
          if case .integer(let value) = field.value { value } else { nil }
        }
        account.missing[source] += values[2] - values[1] + 1 - values[0]
        guard values.count == 5, values[0] <= values[2] - values[1] + 1,
          allowsMissing || values[0] == values[2] - values[1] + 1
        else {
          Issue.record("a window counts \(values[0]) of the numbers \(values[1]) to \(values[2])")
          continue
        }
        for number in values[1]...values[2] { account.counted[source][number, default: 0] += 1 }
      }
    }
    return account
  }
}

@Suite(.timeLimit(.minutes(10))) struct EngineDurabilityTests {
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `with a journal no committed sample is lost over kills, and none is counted twice`(seed: UInt64) async throws {
    try await withFolder { folder in
      let line = try await Line(folder, durability: "Journal", window: "10s")
      var generator = SplitMix64(seed: seed)
      var kills = 0
      for _ in 0..<400 {
        line.clock.advance(.milliseconds(Int.random(in: 100...1_500, using: &generator)))
        let message = line.produce()
        await line.ingest(message)
        if Int.random(in: 0..<10, using: &generator) == 0 { await line.engine.tick() }
        if Int.random(in: 0..<60, using: &generator) == 0 { line.clock.advance(.seconds(61)) }
        if Int.random(in: 0..<30, using: &generator) == 0 {
          // Before its acknowledgement, whether it is safe by then or not: the broker sends it again.
          if Bool.random(using: &generator) { _ = await line.engine.commit() }
          await line.kill()
          kills += 1
          await line.ingest(message)
        }
        #expect(await line.engine.commit())
      }
      #expect(kills > 3)
      #expect(await line.engine.commit())
      await line.finish()
      let account = line.account()
      #expect(!account.hasGaps && !account.isDisordered)
      for source in 0..<line.sources {
        let numbers = account.counted[source]
        #expect(numbers.values.allSatisfy { $0 == 1 }, "counted twice: \(numbers.filter { $0.value > 1 })")
        #expect(Set(numbers.keys) == Set(1..<line.next[source]))
      }
    }
  }
  @Test(arguments: [UInt64(1), 2, 3])
  func `with checkpoints a kill costs at most a minute of a longer window, and nothing is counted twice`(seed: UInt64)
    async throws
  {
    try await withFolder { folder in
      let line = try await Line(folder, durability: "Checkpoint", window: "10m")
      var generator = SplitMix64(seed: seed)
      var kills = 0
      for _ in 0..<1_500 {
        line.clock.advance(.seconds(2))
        await line.ingest(line.produce())
        // The engine's own timer looks more often.
        await line.engine.tick()
        if Int.random(in: 0..<150, using: &generator) == 0 {
          await line.kill()
          kills += 1
        }
      }
      #expect(kills > 3)
      await line.finish()
      let account = line.account(allowsMissing: true)
      #expect(!account.hasGaps && !account.isDisordered)
      for source in 0..<line.sources {
        let numbers = account.counted[source]
        #expect(numbers.values.allSatisfy { $0 == 1 }, "counted twice: \(numbers.filter { $0.value > 1 })")
        // One sample in two seconds; the checkpoint may be as old as the minute and a tick.
        #expect(account.missing[source] <= Int64(kills) * 31)
        #expect(account.missing[source] > 0, "a kill in the middle of a minute costs something")
      }
    }
  }

  @Test func `what a loss of power takes from the spool comes again out of the journal`() async throws {
    try await withFolder { folder in
      let line = try await Line(folder, durability: "Journal", window: "1s")
      line.memory.behave { _, _ in MemorySink.down }
      for _ in 0..<30 {
        line.clock.advance(.seconds(1))
        await line.ingest(line.produce())
        #expect(await line.engine.commit())
      }
      await line.stopWithoutCheckpoint()
      // Nothing of the spool had reached the medium.
      let spool = "\(folder)/sinks/default_cloud"
      for name in try FileManager.default.contentsOfDirectory(atPath: spool) where name.hasSuffix(".segment") {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(spool)/\(name)"))
        try handle.truncate(atOffset: 40)
        try handle.close()
      }
      await line.startAnew()
      line.memory.behave { _, _ in .delivered }
      await line.finish()
      let account = line.account()
      #expect(!account.hasGaps)
      for source in 0..<line.sources { #expect(Set(account.counted[source].keys) == Set(1...30)) }
    }
  }

  @Test func `a journal that ends anywhere is read up to there`() async throws {
    try await withFolder { folder in
      let line = try await Line(folder, sources: 1, durability: "Journal", window: "1h")
      for _ in 0..<20 {
        line.clock.advance(.seconds(1))
        await line.ingest(line.produce())
        #expect(await line.engine.commit())
      }
      await line.stopWithoutCheckpoint()
      let journal = "\(folder)/journal"
      let name = try #require(FileManager.default.contentsOfDirectory(atPath: journal).sorted().last)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(journal)/\(name)"))
      var counts: [UInt64] = []
      for length in stride(from: 40, through: bytes.count, by: 9) + [bytes.count] {
        try await withFolder { copy in
          try FileManager.default.removeItem(atPath: copy)
          try FileManager.default.copyItem(atPath: folder, toPath: copy)
          try bytes.prefix(length).write(to: URL(fileURLWithPath: "\(copy)/journal/\(name)"))
          let engine = Plant().engine(copy, [line.memory], line.clock)
          await engine.apply(pipelines: [line.definition], sinks: [line.sink])
          counts.append(await engine.status().pipelines[0].stages.last?.counters.held ?? 0)
        }
      }
      #expect(counts == counts.sorted() && counts.first == 0 && counts.last == 20)
    }
  }
  @Test func `checkpoints of 10,000 series that all change stay under a gigabyte a day`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let engine = plant.engine(folder, [MemorySink()], clock)
      let functions = #"["mean", "min", "max", "count"]"#
      let stage = #"{"aggregate": {"window": {"tumbling": "1h"}, "functions": \#(functions), "lateness": "2s"}}"#
      let spec = try JSONValue(
        parsing: #"{"stages": [{"deadband": {"absolute": 0.01}}, \#(stage)], "to": [{"name": "cloud"}]}"#)
      await engine.apply(pipelines: [PipelineDefinition(key: "default/p", spec: spec)], sinks: [])
      var generator = SplitMix64(seed: 5)
      var values = (0..<10_000).map { _ in Double.random(in: 0...100, using: &generator) }
      let minutes = 45
      for _ in 0..<minutes {
        var batch = SampleBatch()
        for device in values.indices {
          values[device] += Double.random(in: -1...1, using: &generator)
          let jitter = Int64.random(in: 0..<1_000, using: &generator) * 1_000_000
          batch.add(
            plant.point(device), .number((values[device] * 100).rounded() / 100), at: clock.now - jitter,
            arrival: clock.now)
        }
        await engine.ingest(batch)
        clock.advance(.seconds(60))
        await engine.tick()
      }
      let journal = await engine.status().journal
      #expect(journal.checkpoints >= UInt64(minutes) && journal.checkpointError == nil)
      let bytesADay = Double(journal.checkpointBytes) / Double(minutes) * 1_440
      #expect(bytesADay < 1e9, "\(Int(bytesADay / 1e6)) MB a day")
      print("checkpoints of 10,000 series: \(Int(bytesADay / 1e6)) MB a day")
    }
  }

  @Test(arguments: [UInt64(1), 2])
  func `the figures add up at any moment, under load and while pipelines change`(seed: UInt64) async throws {
    try await withFolder { folder in
      let line = try await Line(folder, durability: "Journal", window: "1s")
      final class Flag: Sendable { let isSet = Atomic(false) }
      let isDone = Flag()
      let (engine, definition, sink) = (line.engine, line.definition, line.sink)
      let reader = Task {
        var looks = 0
        while !isDone.isSet.load(ordering: .relaxed) {
          let status = await engine.status()
          for stage in status.pipelines.flatMap(\.stages) {
            let counters = stage.counters
            #expect(counters.input == counters.output + counters.droppedTotal + counters.held, "\(stage.name)")
          }
          for spool in status.sinks.map(\.spool) {
            let gone = spool.delivered + spool.quarantined + spool.corrupt + spool.droppedTotal
            #expect(spool.recovered + spool.offered == gone + spool.held)
          }
          looks += 1
        }
        return looks
      }
      var generator = SplitMix64(seed: seed)
      var changed = definition
      for step in 0..<600 {
        line.clock.advance(.milliseconds(50))
        await line.ingest(line.produce())
        if step % 5 == 0 { #expect(await engine.commit()) }
        if step % 60 == 30 {
          let stages = definition.spec["stages"]?.array ?? []
          let front: [JSONValue] = [["filter": ["quality": ["Good"]]], ["throttle": ["every": "1ms"]]]
          changed.spec["stages"] = .array(front.shuffled(using: &generator).prefix(step / 60 % 3) + stages)
          changed.spec["durability"] = Bool.random(using: &generator) ? "Journal" : "Checkpoint"
          await engine.apply(pipelines: [changed], sinks: [sink])
        }
      }
      await line.finish()
      isDone.isSet.store(true, ordering: .relaxed)
      #expect(await reader.value > 10)
      let account = line.account()
      #expect(!account.hasGaps && !account.isDisordered)
      for source in 0..<line.sources {
        #expect(account.counted[source].values.allSatisfy { $0 == 1 })
        #expect(Set(account.counted[source].keys) == Set(1..<line.next[source]), "stages that come and go lose nothing")
      }
    }
  }
}
