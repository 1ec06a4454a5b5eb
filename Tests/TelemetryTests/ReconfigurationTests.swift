import DeviceKit
import Documents
import Foundation
import Logging
import SinkKit
import Synchronization
import Telemetry
import Testing

/// Receivers that keep what they get by the sink's name, and are down now and then.
private final class Cloud: SinkPlugin {
  private struct State {
    var received: [String: [TelemetryRecord]] = [:]
    var generator: SplitMix64
    var isUp = false
  }
  private struct Writer: SinkWriter {
    let name: String
    let cloud: Cloud
    func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
      cloud.state.withLock { state in
        guard state.isUp || Int.random(in: 0..<10, using: &state.generator) > 0 else { return MemorySink.down }
        state.received[name, default: []] += records
        return .delivered
      }
    }
    func close() async {}
  }
  private let state: Mutex<State>
  let name = "memory"
  let schema = "type: object"

  init(_ seed: UInt64) { state = Mutex(State(generator: SplitMix64(seed: seed))) }
  func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter { Writer(name: request.name, cloud: self) }
  func received(_ sink: String) -> [TelemetryRecord] { state.withLock { $0.received[sink] ?? [] } }
  func stayUp() { state.withLock { $0.isUp = true } }
}

/// Sources that number their samples, each as fast as the engine takes them, with a time of their own.
private final class Sources: Sendable {
  struct Progress {
    /// The last number of each source whose way into the engine has begun, and has ended.
    var begun: [Int64]
    var done: [Int64]
    /// Sources whose device does not exist now.
    var absent: Set<Int> = []
    var labels: [String: String] = ["line": "a"]
    var isOver = false
  }
  static let spacing: Int64 = 50_000_000
  let count = 6
  let points = PointTable()
  let progress: Mutex<Progress>
  init() { progress = Mutex(Progress(begun: [Int64](repeating: 0, count: 6), done: [Int64](repeating: 0, count: 6))) }

  func point(_ source: Int) -> PointID {
    points.id(of: PointName(device: DeviceKey(namespace: "default", name: "d\(source)"), property: "number"))
  }

  func describe(_ point: PointID) -> SeriesDescription? {
    let name = points.name(of: point)
    return progress.withLock { progress in
      let source = Int(name.device.name.dropFirst()) ?? -1
      guard !progress.absent.contains(source) else { return nil }
      return SeriesDescription(
        node: "n", device: name.device, property: name.property, model: "m", labels: progress.labels)
    }
  }

  /// Numbers of one source, ten a batch, until it is over.
  func run(_ source: Int, into engine: TelemetryEngine, from start: Int64) async {
    let point = point(source)
    while !progress.withLock({ $0.isOver }) {
      let first = progress.withLock { $0.done[source] } + 1
      progress.withLock { $0.begun[source] = first + 9 }
      var batch = SampleBatch()
      for number in first..<first + 10 {
        let time = start + number * Self.spacing
        batch.add(point, .integer(number), at: time, arrival: time + 3_000_000)
      }
      await engine.ingest(batch)
      progress.withLock { $0.done[source] = first + 9 }
      await Task.yield()
    }
  }

  /// Waits until each source has come so many numbers further.
  func advance(_ numbers: Int64) async -> Bool {
    let target = progress.withLock { $0.done.map { $0 + numbers } }
    return await eventually { self.progress.withLock { zip($0.done, target).allSatisfy { $0 >= $1 } } }
  }
}

/// Which numbers a pipeline has to have taken of each source, and which it may have.
private struct Expected {
  var must: [[ClosedRange<Int64>]]
  var may: [[ClosedRange<Int64>]]
  private var since: [(may: Int64, must: Int64)?]

  init(_ sources: Int) {
    must = [[ClosedRange<Int64>]](repeating: [], count: sources)
    may = must
    since = [(may: Int64, must: Int64)?](repeating: nil, count: sources)
  }

  /// Takes note that by a change the pipeline takes a source now, or does not. What came in between may be either.
  mutating func note(_ source: Int, isTaken: Bool, _ before: Sources.Progress, _ after: Sources.Progress) {
    if isTaken, since[source] == nil {
      since[source] = (before.done[source] + 1, after.begun[source] + 1)
    } else if !isTaken, let begin = since[source] {
      since[source] = nil
      if begin.must <= before.done[source] { must[source].append(begin.must...before.done[source]) }
      if begin.may <= after.begun[source] { may[source].append(begin.may...after.begun[source]) }
    }
  }

  /// What is wrong with the windows that a receiver got of one pipeline.
  func problems(_ records: [TelemetryRecord]) -> [String] {
    var problems: [String] = []
    var counted = [[Int64: Int]](repeating: [:], count: must.count)
    for record in records {
      let source = Int(record.series.device.name.dropFirst()) ?? 0
      let values = Dictionary(
        record.fields.compactMap { field -> (String, Int64)? in
          if case .integer(let value) = field.value { (field.name, value) } else { nil }
        }, uniquingKeysWith: { first, _ in first })
      guard let count = values["count"], let first = values["first"], let last = values["last"],
        count == last - first + 1
      else {
        problems.append("d\(source): a window counts \(values)")
        continue
      }
      for number in first...last { counted[source][number, default: 0] += 1 }
    }
    for source in must.indices {
      let twice = counted[source].filter { $0.value > 1 }.keys.sorted()
      if let first = twice.first { problems.append("d\(source): \(twice.count) counted twice, from \(first) on") }
      let lost = must[source].joined().filter { counted[source][$0] == nil }
      if let first = lost.first { problems.append("d\(source): \(lost.count) lost, from \(first) on") }
      let strange = counted[source].keys.filter { number in !may[source].contains { $0.contains(number) } }
      if let first = strange.min() { problems.append("d\(source): \(strange.count) not its own, from \(first) on") }
    }
    return problems
  }
}

@Suite(.timeLimit(.minutes(5))) struct ReconfigurationTests {
  private static let front: [JSONValue] = [
    ["filter": ["quality": ["Good"]]], ["throttle": ["every": "1ms"]], ["deadband": ["absolute": 0.5]],
    ["reportOnChange": [:]], ["enrich": ["labels": ["site": "x"]]],
  ]

  private static func windows(_ size: String, _ functions: [JSONValue]) -> JSONValue {
    let named: [JSONValue] = ["count", "first", "last"]
    return ["aggregate": ["window": ["tumbling": .string(size)], "functions": .array(named + functions)]]
  }

  /// A spec that loses no sample by what it asks for. The first pipeline's windows are always the same.
  private static func spec(_ pipeline: Int, _ generator: inout SplitMix64) -> JSONValue {
    let stages = front.shuffled(using: &generator).prefix(Int.random(in: 0...3, using: &generator))
    let size = pipeline == 0 ? "1s" : ["1s", "2s", "500ms"].randomElement(using: &generator) ?? "1s"
    let functions: [JSONValue] = pipeline > 0 && Bool.random(using: &generator) ? ["mean"] : []
    let others = ["b", "c"].filter { _ in Bool.random(using: &generator) }
    return [
      "stages": .array(stages + [windows(size, functions)]),
      "durability": Bool.random(using: &generator) ? "Journal" : "Checkpoint",
      "to": .array((["a"] + others).map { ["name": .string($0)] }),
    ]
  }

  private static func balance(_ status: TelemetryStatus) {
    for stage in status.pipelines.flatMap(\.stages) {
      #expect(stage.counters.isBalanced, "\(stage.name): \(stage.counters)")
    }
    for pipeline in status.pipelines {
      // What a stage passes on the next one takes; what was carried over came in besides.
      for (stage, next) in zip(pipeline.stages, pipeline.stages.dropFirst()) {
        #expect(stage.counters.output <= next.counters.input, "\(pipeline.key): \(stage.name) to \(next.name)")
      }
    }
    for sink in status.sinks {
      let spool = sink.spool
      let gone = spool.delivered + spool.quarantined + spool.corrupt + spool.droppedTotal
      #expect(spool.recovered + spool.offered == gone + spool.held, "\(sink.key)")
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `changes of pipelines, sinks, devices and models under full load lose and double nothing`(
    seed: UInt64
  ) async throws {
    try await withFolder { folder in
      let (clock, cloud, sources) = (ManualClock(), Cloud(seed), Sources())
      let engine = TelemetryEngine(
        directory: folder, node: "n", points: sources.points, sinks: [cloud],
        describe: { sources.describe($0) }, range: { _ in nil }, clock: clock.clock,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      var generator = SplitMix64(seed: seed)
      var pipelines: [Int: JSONValue] = [:]
      var sinks: [String: Int] = ["a": 0, "b": 0, "c": 0]
      var expected = (0..<4).map { _ in Expected(sources.count) }

      func apply() async {
        await engine.apply(
          pipelines: pipelines.map { PipelineDefinition(key: "default/p\($0.key)", spec: $0.value) },
          sinks: sinks.map { name, revision in
            SinkDefinition(
              key: "default/\(name)",
              spec: ["memory": [:], "batch": ["maxDelay": "0s", "maxSamples": 50]], revision: revision)
          })
      }
      func change(_ body: () async -> Void) async {
        let before = sources.progress.withLock { $0 }
        await body()
        let after = sources.progress.withLock { $0 }
        for pipeline in expected.indices {
          for source in 0..<sources.count {
            let isTaken = pipelines[pipeline] != nil && !after.absent.contains(source)
            expected[pipeline].note(source, isTaken: isTaken, before, after)
          }
        }
      }

      await change {
        for pipeline in 0..<3 { pipelines[pipeline] = Self.spec(pipeline, &generator) }
        await apply()
      }
      let running = Task { await engine.run() }
      let start = clock.now
      let load = Task {
        await withTaskGroup(of: Void.self) { group in
          for source in 0..<sources.count { group.addTask { await sources.run(source, into: engine, from: start) } }
        }
      }
      let reader = Task {
        var looks = 0
        while !sources.progress.withLock({ $0.isOver }) {
          Self.balance(await engine.status())
          looks += 1
        }
        return looks
      }
      for _ in 0..<60 {
        // A device that comes back within the window with which it went is late for that.
        var pause: Int64 = 5
        await change {
          switch Int.random(in: 0..<8, using: &generator) {
          case 0, 1, 2:
            // The first pipeline is changed and never deleted.
            let pipeline = Int.random(in: 0..<4, using: &generator)
            let goes = pipeline > 0 && pipelines[pipeline] != nil && Bool.random(using: &generator)
            if goes {
              pipelines.removeValue(forKey: pipeline)
            } else {
              pipelines[pipeline] = Self.spec(pipeline, &generator)
            }
            await apply()
          case 3:
            let name = ["b", "c"].randomElement(using: &generator) ?? "b"
            if sinks.removeValue(forKey: name) == nil { sinks[name] = 0 }
            await apply()
          case 4:
            for name in sinks.keys { sinks[name, default: 0] += 1 }
            await apply()
          case 5, 6:
            // The first two devices are always there.
            pause = 80
            let source = Int.random(in: 2..<sources.count, using: &generator)
            sources.progress.withLock { progress in
              if progress.absent.remove(source) == nil { progress.absent.insert(source) }
            }
            await engine.invalidate([sources.point(source)])
          default:
            let line = ["a", "b"].randomElement(using: &generator) ?? "a"
            sources.progress.withLock { $0.labels["line"] = line }
            await engine.invalidate((0..<sources.count).map { sources.point($0) })
          }
        }
        #expect(await sources.advance(Int64.random(in: pause...100, using: &generator)))
      }
      sources.progress.withLock { $0.isOver = true }
      await load.value
      #expect(await reader.value > 20)
      #expect(await engine.commit())
      await change {
        pipelines = [:]
        sinks = ["a": 0, "b": 0, "c": 0]
        cloud.stayUp()
        await apply()
      }
      clock.advance(.seconds(60))
      #expect(await eventually { await engine.status().sinks.allSatisfy { $0.spool.held == 0 } })
      Self.balance(await engine.status())
      running.cancel()
      await running.value

      let all = cloud.received("default/a")
      for pipeline in expected.indices {
        let records = all.filter { $0.pipeline == "default/p\(pipeline)" }
        #expect(expected[pipeline].problems(records) == [], "pipeline \(pipeline)")
        if records.isEmpty { continue }
        // The account would notice.
        let place = records.count / 2
        #expect(expected[pipeline].problems(records + [records[place]]) != [])
        let inner = records.indices.first { index in
          guard case .integer(let first)? = records[index].fields.first(where: { $0.name == "first" })?.value else {
            return false
          }
          let source = Int(records[index].series.device.name.dropFirst()) ?? 0
          return expected[pipeline].must[source].contains { $0.contains(first) }
        }
        if let inner {
          #expect(expected[pipeline].problems(records.enumerated().filter { $0.offset != inner }.map(\.element)) != [])
        }
        for source in 0..<sources.count {
          let numbers = records.filter { $0.series.device.name == "d\(source)" }.map(\.sequence)
          #expect(numbers == Array(1..<UInt64(numbers.count + 1)), "p\(pipeline), d\(source): in order, without a gap")
        }
      }
      // Windows whose stage is the same before and after are never cut.
      for source in 0..<2 {
        let whole = all.filter { $0.pipeline == "default/p0" && $0.series.device.name == "d\(source)" }
        #expect(whole.count > 10)
        #expect(whole.dropFirst().dropLast().allSatisfy { $0.fields.first?.value == .integer(20) })
      }
      struct Name: Hashable { var pipeline: String, series: String, sequence: UInt64 }
      func named(_ records: [TelemetryRecord]) -> [Name: [TelemetryRecord.Field]] {
        Dictionary(
          records.map {
            (Name(pipeline: $0.pipeline, series: $0.series.device.name, sequence: $0.sequence), $0.fields)
          },
          uniquingKeysWith: { first, _ in first })
      }
      let known = named(all)
      for sink in ["b", "c"] {
        let received = cloud.received("default/\(sink)")
        let own = named(received)
        #expect(own.count == received.count && own.count > 0, "\(sink): none twice")
        #expect(own.allSatisfy { known[$0.key] == $0.value }, "\(sink): the same under the same number")
      }
    }
  }
}
