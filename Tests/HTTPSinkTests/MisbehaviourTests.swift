import DeviceKit
import Documents
import SinkConformance
import SinkKit
import TestSupport
import Testing

/// Servers that do not do as they should: the outcome of the try, and that in the end all is there, in order.
@Suite struct MisbehaviourTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var what: String
    var behaviour: JSONValue
    /// The reason of a retry.
    var reason: String
    var after: Duration?
    init(_ what: String, _ behaviour: JSONValue, _ reason: String, after: Duration? = nil) {
      (self.what, self.behaviour, self.reason, self.after) = (what, behaviour, reason, after)
    }
    var testDescription: String { what }
  }

  static let cases = [
    Case("429 with seconds", ["code": 429, "fields": ["Retry-After": "7"]], "TooManyRequests", after: .seconds(7)),
    Case(
      "503 with a date",
      [
        "code": 503,
        "fields": ["Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"],
      ],
      "ServerError", after: .seconds(30)),
    Case("429 with nonsense", ["code": 429, "fields": ["Retry-After": "soon"]], "TooManyRequests"),
    Case(
      "503 for a year", ["code": 503, "fields": ["Retry-After": "31536000"]], "ServerError", after: .seconds(3_600)),
    Case("502", ["code": 502, "body": "<html>bad gateway</html>"], "ServerError"),
    Case("a redirect", ["code": 307, "fields": ["Location": "http://elsewhere/"]], "Redirected"),
    Case("401", ["code": 401], "Unauthorized"), Case("403", ["code": 403], "Forbidden"),
    Case("404", ["code": 404, "body": "database not found"], "NotFound"),
    Case("405", ["code": 405], "MethodNotAllowed"),
    Case("cut in the answer, nothing kept", ["do": "cut"], "ConnectionClosed"),
    Case("cut in the answer, all kept", ["do": "cut", "store": true], "ConnectionClosed"),
    Case("half closed without an answer", ["do": "silence"], "ConnectionClosed"),
    Case("reset", ["do": "reset", "store": true], "ConnectionClosed"),
    Case("garbage", ["do": "garbage"], "NotHTTP"),
    Case("too slow", ["seconds": 8, "store": true], "Timeout"),
  ]

  @Test(arguments: [Kind.json, .influx, .remoteWrite1, .remoteWrite2, .otlp], cases)
  func `nothing is lost and nothing overtakes`(kind: Kind, case: Case) async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind.writer(receiver.url(kind.path), ["timeout": "1s"])
    let batches = (0..<3).map { batch in (0..<20).map { SinkUnderTest.sample(batch * 20 + $0) } }
    #expect(await writer.send(batches[0]) == .delivered)
    try await receiver.behave(`case`.behaviour)
    guard case .retry(let error, let after) = await writer.send(batches[1]) else {
      Issue.record("not kept")
      return
    }
    #expect(error.reason == `case`.reason, "\(error.message)")
    #expect(after == `case`.after)
    #expect(error.message.count > 15, "\(error.message)")
    for batch in batches[1...] {
      try await eventually("delivered") { await writer.send(batch) == .delivered }
    }
    let arrivals = try await receiver.arrivals()
    #expect(Set(arrivals).count == 60)
    var first: [SinkUnderTest.Arrival] = []
    for arrival in arrivals where !first.contains(arrival) { first.append(arrival) }
    #expect(first.map(\.time) == first.map(\.time).sorted())
    await writer.close()
  }

  @Test(arguments: [Kind.json, .influx, .remoteWrite1, .remoteWrite2, .otlp], [400, 413, 422])
  func `a batch that will never be taken is refused, to be split`(kind: Kind, code: Int) async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind.writer(receiver.url(kind.path))
    #expect(await writer.send([SinkUnderTest.sample(0)]) == .delivered)
    try await receiver.behave(["code": .integer(Int64(code)), "body": "no \u{1} thanks"])
    guard case .refused(let error) = await writer.send([SinkUnderTest.sample(1), SinkUnderTest.sample(2)]) else {
      Issue.record("not refused")
      return
    }
    #expect(error.reason == (code == 413 ? "TooLarge" : "Refused"))
    #expect(error.message == "the receiver answered \(code): no   thanks")
    await writer.close()
  }

  @Test func `a server that answers before it has read is understood`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.ndjson.writer(receiver.url("/ndjson"))
    try await receiver.behave(["early": true, "code": 413])
    // Large enough for no buffer of the kernel: the server is gone before it is all sent.
    let text = String(repeating: "x", count: 100_000)
    let records = (0..<200).map { SinkUnderTest.sample($0, value: .string(text)) }
    switch await writer.send(records) {
    case .refused(let error): #expect(error.reason == "TooLarge")
    // The reset that follows may destroy the answer on its way; then it is simply tried again.
    case .retry(let error, _): #expect(error.reason == "ConnectionClosed", "\(error)")
    default: Issue.record("delivered")
    }
    await writer.close()
  }

  @Test func `an endless answer is left after its first part`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.json.writer(receiver.url("/json"))
    try await receiver.behave(["do": "endless", "store": true])
    #expect(await writer.send([SinkUnderTest.sample(1)]) == .delivered)
    #expect(await writer.send([SinkUnderTest.sample(2)]) == .delivered)
    await writer.close()
  }

  @Test(arguments: [Kind.remoteWrite1, .otlp])
  func `a page that answers in the receiver's place takes nothing`(kind: Kind) async throws {
    let receiver = try await ForeignReceiver()
    let writer = try kind.writer(receiver.url(kind.path))
    try await receiver.behave(["code": 200, "body": "<html>log in</html>", "fields": ["Content-Type": "text/html"]])
    guard case .retry(let error, _) = await writer.send([SinkUnderTest.sample(1)]) else {
      Issue.record("taken")
      return
    }
    #expect(error.reason == "AnsweredByAPage")
    await writer.close()
  }
}
