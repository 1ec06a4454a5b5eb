import DeviceKit
import Documents
import Glibc
import SinkConformance
import SinkKit
import StdoutSink
import Synchronization
import TestSupport
import Testing

/// A pipe with a reader that can stop reading and can go.
private final class Pipe: Sendable {
  let writing: Int32
  private let reading: Mutex<Int32>
  private let text = Mutex<[UInt8]>([])

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Trouble("no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    reading = Mutex(ends[0])
    writing = ends[1]
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
  }

  deinit {
    closeReading()
    close(writing)
  }

  func closeReading() {
    reading.withLock { descriptor in
      if descriptor >= 0 { close(descriptor) }
      descriptor = -1
    }
  }

  /// Takes what is there.
  func drain() -> [UInt8] {
    text.withLock { text in
      reading.withLock { descriptor in
        var block = [UInt8](repeating: 0, count: 65_536)
        while descriptor >= 0 {
          let count = read(descriptor, &block, block.count)
          guard count > 0 else { break }
          text += block[..<count]
        }
      }
      return text
    }
  }
}

@Suite struct StdoutSinkTests {
  private func writer(_ pipe: Pipe, _ format: String = "ndjson", patience: Duration = .milliseconds(100)) throws
    -> any SinkWriter
  {
    try StdoutSinkPlugin(descriptor: pipe.writing, patience: patience).writer(
      for: SinkRequest(name: "default/s", specification: ["format": .string(format)]))
  }

  static let abilities = Set(SinkUnderTest.Ability.allCases).subtracting([.outage, .refusal, .credentials])

  @Test(arguments: SinkConformance.rules(for: abilities))
  func `keeps the rules of a sink`(rule: SinkRule) async throws {
    let pipe = try Pipe()
    let plugin = StdoutSinkPlugin(descriptor: pipe.writing)
    let reader = Task {
      while !Task.isCancelled {
        _ = pipe.drain()
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
    defer { reader.cancel() }
    try await rule.hold(
      on: SinkUnderTest(
        writer: { try plugin.writer(for: SinkRequest(name: "default/s", specification: [:])) },
        received: { try pipe.drain().split(separator: 0x0A).map { try Self.arrival(Array($0)) } }))
  }

  private static func arrival(_ line: [UInt8]) throws -> SinkUnderTest.Arrival {
    let json = try JSONValue(parsing: line)
    var fields: [String: Value] = [:]
    for (name, value) in json["fields"]?.object ?? [:] { fields[name] = Value(received: value) }
    return SinkUnderTest.Arrival(
      device: json["device"]?.string ?? "", property: json["property"]?.string ?? "",
      time: Timestamp(json["time"]?.string ?? "") ?? Timestamp(seconds: 0), fields: fields)
  }

  @Test func `a reader that stalls gets every line once when it reads again`() async throws {
    let pipe = try Pipe()
    let writer = try writer(pipe)
    let records = (0..<2_000).map { SinkUnderTest.sample($0) }
    guard case .retry(let error, _) = await writer.send(records) else {
      Issue.record("a pipe took 2,000 lines")
      return
    }
    #expect(error.reason == "ReaderStalled")
    #expect(pipe.drain().count > 4_096)
    var outcome = SinkOutcome.retry(error, after: nil)
    while outcome != .delivered {
      outcome = await writer.send(records)
      _ = pipe.drain()
    }
    let numbers = try pipe.drain().split(separator: 0x0A).map { try JSONValue(parsing: Array($0))["sequence"]?.int }
    #expect(numbers == (0..<2_000).map { $0 })
  }

  @Test func `two sinks never mix their lines`() async throws {
    let pipe = try Pipe()
    let plugin = StdoutSinkPlugin(descriptor: pipe.writing, patience: .milliseconds(50))
    let writers = try (0..<2).map { try plugin.writer(for: SinkRequest(name: "n/\($0)", specification: [:])) }
    // Fills the pipe in the middle of a line, and lets the other sink be the next to write.
    let first = (0..<2_000).map { SinkUnderTest.sample($0, device: "first") }
    guard case .retry = await writers[0].send(first) else {
      Issue.record("a pipe took 2,000 lines")
      return
    }
    _ = pipe.drain()
    #expect(await writers[1].send([SinkUnderTest.sample(7, device: "second")]) == .delivered)
    while await writers[0].send(first) != .delivered { _ = pipe.drain() }
    let devices = try pipe.drain().split(separator: 0x0A).map { try JSONValue(parsing: Array($0))["device"]?.string }
    #expect(devices.count { $0 == "second" } == 1 && devices.count { $0 == "first" } == 2_000)
  }

  @Test func `a reader that has gone is told and ends nothing`() async throws {
    let pipe = try Pipe()
    let writer = try writer(pipe)
    #expect(await writer.send([SinkUnderTest.sample(1)]) == .delivered)
    pipe.closeReading()
    for _ in 0..<2 {
      guard case .retry(let error, _) = await writer.send([SinkUnderTest.sample(2)]) else {
        Issue.record("written to nobody")
        return
      }
      #expect(error.reason == "ReaderGone")
    }
  }

  @Test func `CSV begins with its columns, once`() async throws {
    let pipe = try Pipe()
    let writer = try writer(pipe, "csv")
    for number in 1...2 { #expect(await writer.send([SinkUnderTest.sample(number)]) == .delivered) }
    let lines = String(decoding: pipe.drain(), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 3 && lines[0] == RecordLines.columns.joined(separator: ",")[...])
  }

  @Test func `a format that is none is refused by its field`() throws {
    #expect { _ = try writer(Pipe(), "xml") } throws: { "\($0)".contains("spec.stdout.format") }
  }
}
