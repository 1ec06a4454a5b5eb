import Documents
import Foundation
import KubernetesAPI
import Resources
import TestSupport
import Testing

private let gadgets = "/apis/example.dev/v1/namespaces/n/gadgets"

@Suite("The API over HTTP", .timeLimit(.minutes(10)))
struct HTTPTests {
  @Test func everyErrorUnderTheAPIIsAStatus() async throws {
    try await RunningServer.with([RecordingBackend()]) { server in
      let big = String(repeating: "x", count: 3 * 1024 * 1024 + 1)
      let json = ["-H", "Content-Type: application/json"]
      let cases: [(path: String, arguments: [String], input: String?, code: Int)] = [
        ("/api/nothing/here/at/all/x", [], nil, 404), ("/apis/example.dev/v1/widgets", [], nil, 404),
        ("/openapi/v9", [], nil, 404), ("/version/x", [], nil, 404), (gadgets, ["-X", "PROPFIND"], nil, 405),
        (gadgets, ["-X", "OPTIONS"], nil, 405), ("/apis", ["-X", "DELETE"], nil, 405),
        (gadgets, json + ["--data-binary", "@-"], big, 413),
        (gadgets, json + ["--data-binary", "@-", "-H", "Transfer-Encoding: chunked"], big, 413),
        (gadgets, json + ["-d", "{"], nil, 400), (gadgets, ["-d", "a=b"], nil, 415),
        (gadgets, ["-H", "Accept: text/html"], nil, 406), (gadgets, ["-H", "Host: evil.example"], nil, 403),
        (gadgets, ["-H", "Origin: http://evil.example"], nil, 403),
      ]
      for (path, arguments, input, code) in cases {
        let reply = try await server.curl(path, arguments, input: input)
        let status = try JSONValue(parsing: reply.body)
        #expect(reply.code == code, "\(arguments.prefix(4)) \(path)")
        #expect(status["kind"] == "Status" && status["code"]?.int == code, "\(path): \(reply.body.prefix(200))")
        #expect(reply.head.contains("content-type: application/json"))
      }
      #expect(try await server.curl("/other").body == "elsewhere")
      #expect(try await server.curl("/nowhere").code == 404)
    }
  }

  @Test func aHeadHasNoBodyAndTheConnectionLives() async throws {
    try await RunningServer.with([RecordingBackend()]) { server in
      let reply = try await server.curl(gadgets, ["--head"])
      #expect(reply.code == 200 && reply.body.isEmpty)
      let both = try await Subprocess.run(
        "/usr/bin/curl", ["-sS", "-w", "%{num_connects} ", server.url + "/version", server.url + gadgets])
      #expect(both.output.hasSuffix("0 "), "the second request needed a connection of its own: \(both.output)")
    }
  }

  @Test func aWatchStreamsLineByLineAndEndsWhenItsTimeIsOver() async throws {
    let backend = RecordingBackend()
    try await RunningServer.with([backend]) { server in
      let curl = try Subprocess.Running(
        "/usr/bin/curl", ["-sSN", "--max-time", "120", server.url + gadgets + "?watch=1&timeoutSeconds=2"])
      try await eventually("the watch is open") { !backend.calls.isEmpty }
      _ = backend.put(Fixtures.gadget.name, ObjectKey(namespace: "n", name: "a"))
      try await eventually("the event is there before the watch ends") { curl.output.contains("ADDED") }
      let end = await curl.result(deadline: 120)
      // 18 would be a body that broke off.
      #expect(end.status == 0, "\(end.description)")
    }
  }

  @Test func aWatchIsGivenUpWhenItsClientGoes() async throws {
    let backend = LeavingBackend()
    try await RunningServer.with([backend]) { server in
      let curl = try Subprocess.Running("/usr/bin/curl", ["-sSN", server.url + gadgets + "?watch=1"])
      try await eventually("the watch is open") { backend.open.value == 1 && curl.output.contains("ADDED") }
      curl.terminate()
      try await eventually("the watch is closed") { backend.open.value == 0 }
      _ = await curl.result(deadline: 5)
    }
  }

  @Test func aWatchEndsInGoodOrderWhenTheServiceShutsDown() async throws {
    let backend = LeavingBackend()
    try await RunningServer.with([backend]) { server in
      let curl = try Subprocess.Running("/usr/bin/curl", ["-sSN", server.url + gadgets + "?watch=1"])
      try await eventually("the watch is open") { curl.output.contains("ADDED") }
      await server.shutDown()
      let end = await curl.result(deadline: 120)
      #expect(end.status == 0, "\(end.description)")
      try await eventually("the watch is closed") { backend.open.value == 0 }
    }
  }

  @Test func aLongListArrivesWhole() async throws {
    let backend = RecordingBackend()
    let filler = String(repeating: "é", count: 300)
    for index in 0..<2_000 {
      _ = backend.put(
        Fixtures.gadget.name, ObjectKey(namespace: "n", name: "g\(index)"), ["spec": ["text": .string(filler)]])
    }
    try await RunningServer.with([backend]) { server in
      let reply = try await server.curl(gadgets)
      #expect(try JSONValue(parsing: reply.body)["items"]?.array?.count == 2_000)
      #expect(reply.head.contains("transfer-encoding: chunked"))
    }
  }
}
