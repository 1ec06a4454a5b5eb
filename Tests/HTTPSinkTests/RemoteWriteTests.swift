import DeviceKit
import Documents
import SinkConformance
import SinkKit
import TestSupport
import Testing

@Suite struct RemoteWriteTests {
  private func kind(_ version: Int, _ more: JSONValue = [:]) -> Kind {
    var fragment: JSONValue = ["version": .integer(Int64(version))]
    fragment = fragment.merging(more)
    return Kind(name: "prometheusRemoteWrite", path: "/rw", fragment: fragment)
  }

  private func header(_ receiver: ForeignReceiver) async throws -> [String?] {
    try await receiver.requests().map { $0[path: "fields", "x-prometheus-remote-write-version"]?.string }
  }

  @Test func `2_0 carries type, unit and since when a counter counts`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(2, ["counters": ["energy*"]]).writer(receiver.url("/rw"))
    let records = [
      SinkUnderTest.sample(0, property: "energy-total", value: .integer(5)),
      SinkUnderTest.sample(1, property: "energy-total", value: .integer(7)), SinkUnderTest.sample(2),
    ]
    #expect(await writer.send(records) == .delivered)
    let values = try await receiver.values()
    let start = SinkUnderTest.sample(0).time.nanoseconds / 1_000_000
    #expect(values.map { $0["start"]?.integer } == [start, start, 0])
    #expect(values.map { $0["type"]?.integer } == [1, 1, 2])
    #expect(values.map { $0["unit"] } == ["Cel", "Cel", "Cel"])
    // The name lost a hyphen: the property stands beside it, so that no other becomes the same series.
    #expect(values[0][path: "labels", "__name__"] == "energy_total")
    #expect(values[0][path: "labels", "property"] == "energy-total")
    #expect(values[2][path: "labels", "property"] == nil)
    let fields = try #require(try await receiver.requests().first?["fields"])
    #expect(fields["content-type"] == "application/x-protobuf;proto=io.prometheus.write.v2.Request")
    #expect(fields["content-encoding"] == "snappy" && fields["user-agent"] == "selvedge")
    #expect(fields["x-prometheus-remote-write-version"] == "2.0.0")
    await writer.close()
  }

  @Test func `names keep what they contain where the receiver knows UTF-8`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(2, ["utf8Names": true, "labels": ["linie-ä": "{label:line}", "pipeline": ""]])
      .writer(receiver.url("/rw"))
    #expect(await writer.send([SinkUnderTest.sample(0, property: "temp-größe")]) == .delivered)
    #expect(
      try await receiver.values().first?["labels"] == [
        "__name__": "temp-größe", "device": "boiler-1", "namespace": "default", "node": "gateway-1", "model": "boiler",
        "linie-ä": "a",
      ])
    await writer.close()
  }

  @Test func `a receiver that does not know 2_0 gets 1_0 from then on`() async throws {
    let receiver = try await ForeignReceiver(["--oldest"])
    let writer = try kind(2).writer(receiver.url("/rw"))
    #expect(await writer.send([SinkUnderTest.sample(0)]) == .delivered)
    #expect(await writer.send([SinkUnderTest.sample(1)]) == .delivered)
    #expect(try await header(receiver) == ["2.0.0", "0.1.0", "0.1.0"])
    #expect(try await receiver.values().count == 2)
    await writer.close()
  }

  @Test func `a success that does not say how much was written is none`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(2).writer(receiver.url("/rw"))
    try await receiver.behave(["shows": false, "store": false])
    #expect(await writer.send([SinkUnderTest.sample(0)]) == .delivered)
    #expect(try await header(receiver) == ["2.0.0", "0.1.0"])
    #expect(try await receiver.values().count == 1)
    await writer.close()
  }

  @Test func `1_0 asked for stays 1_0`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(1).writer(receiver.url("/rw"))
    try await receiver.behave(["code": 415])
    guard case .refused = await writer.send([SinkUnderTest.sample(0)]) else {
      Issue.record("415 is not refused")
      return
    }
    #expect(try await header(receiver) == ["0.1.0"])
    await writer.close()
  }

  @Test(arguments: [(400, "3"), (200, "3"), (422, "3")])
  func `of a partial write the rest is counted and not sent again`(code: Int, written: String) async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(2).writer(receiver.url("/rw"))
    #expect(await writer.send([SinkUnderTest.sample(0)]) == .delivered)
    try await receiver.behave([
      "code": .integer(Int64(code)), "body": "2 samples too old",
      "fields": ["X-Prometheus-Remote-Write-Samples-Written": .string(written)],
    ])
    let records = (1...5).map { SinkUnderTest.sample($0) }
    guard case .deliveredExcept(let causes, let error) = await writer.send(records) else {
      Issue.record("not told")
      return
    }
    #expect(causes == ["rejectedByReceiver": 2])
    #expect(error.message == "the receiver answered \(code): 2 of 5 samples were not written: 2 samples too old")
    await writer.close()
  }

  @Test(arguments: [
    ("out of order sample", "outOfOrder"), ("err-mimir-sample-duplicate-timestamp", "duplicateSample"),
    ("out of bounds", "tooOld"), ("the sample has been rejected because it is too old", "tooOld"),
  ])
  func `1_0 finds the samples that are out of order and counts them`(words: String, cause: String) async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(1).writer(receiver.url("/rw"))
    let no: JSONValue = ["code": 400, "body": .string(words)]
    // Four records: the whole, then its older half, of which the first record is the one.
    try await receiver.behave(no, no, no, [:])
    let records = (0..<4).map { SinkUnderTest.sample($0) }
    guard case .deliveredExcept(let causes, _) = await writer.send(records) else {
      Issue.record("not told")
      return
    }
    #expect(causes == [cause: 1])
    #expect(try await receiver.values().map { $0["value"]?.number } == [1, 2, 3])
    await writer.close()
  }

  @Test func `a failure while looking for them sends nothing twice`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(1).writer(receiver.url("/rw"))
    let no: JSONValue = ["code": 400, "body": "out of order sample"]
    // The whole, the older half, its first record; its second record arrives, and the receiver goes down.
    try await receiver.behave(no, no, no, [:], ["code": 503])
    let records = (0..<4).map { SinkUnderTest.sample($0) }
    guard case .retry = await writer.send(records) else {
      Issue.record("not kept")
      return
    }
    guard case .deliveredExcept(let causes, _) = await writer.send(records) else {
      Issue.record("not told")
      return
    }
    #expect(causes == ["outOfOrder": 1])
    #expect(try await receiver.values().map { $0["value"]?.number } == [1, 2, 3])
    await writer.close()
  }

  @Test func `what is no sample is counted, and of one millisecond the last is sent`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(1).writer(receiver.url("/rw"))
    var twin = SinkUnderTest.sample(3, value: .integer(30))
    twin.time = twin.time + .microseconds(10)
    let records = [
      SinkUnderTest.sample(1, value: .string("text")), SinkUnderTest.sample(2, value: .number(.nan)),
      SinkUnderTest.sample(3, value: .integer(3)), twin,
      SinkUnderTest.sample(2, device: "other", value: .boolean(true)),
    ]
    guard case .deliveredExcept(let causes, _) = await writer.send(records) else {
      Issue.record("not told")
      return
    }
    #expect(causes == ["unsupportedValue": 2, "sameMillisecond": 1])
    #expect(try await receiver.values().map { $0["value"]?.number } == [30, 1])
    await writer.close()
  }

  @Test func `parts that arrived are not sent again with those that did not`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind(1, ["concurrency": 4]).writer(receiver.url("/rw"))
    let records = (0..<20).flatMap { number in
      (0..<12).map { SinkUnderTest.sample(number, device: "d\($0)") }
    }
    try await receiver.behave(["code": 503])
    guard case .retry = await writer.send(records) else {
      Issue.record("all parts arrived")
      return
    }
    #expect(await writer.send(records) == .delivered)
    let arrivals = try await receiver.arrivals()
    #expect(arrivals.count == records.count, "each once")
    #expect(SinkUnderTest.isOrdered(arrivals))
    await writer.close()
  }
}
