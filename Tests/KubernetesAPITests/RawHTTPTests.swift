import Documents
import Foundation
import ResourceStore
import Testing

private let widgets = "/apis/test.dev/v1/namespaces/default/widgets"

/// Runs blocking work on a thread of its own.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
  }
}

@Suite("Abuse of the API over a bare socket", .timeLimit(.minutes(10)))
struct RawHTTPTests {
  private static func request(_ method: String, _ path: String, _ headers: [String], _ body: [UInt8] = []) -> [UInt8] {
    let head = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers + ["", ""]
    return Array(head.joined(separator: "\r\n").utf8) + body
  }

  private static func expect(_ code: Int, _ response: RawConnection.Response?, _ what: String) {
    #expect(response?.code == code, "\(what): \(response?.text.prefix(200) ?? "no answer")")
    let status = try? JSONValue(parsing: response?.body ?? [])
    #expect(status?["kind"] == "Status" && status?["code"]?.int == code, "\(what)")
    #expect(response?.headers["content-type"] == "application/json", "\(what)")
  }

  /// The API still answers, on a connection of its own.
  private static func expectLife(_ port: Int) throws {
    var connection = try RawConnection(port: port)
    _ = connection.send(request("GET", widgets, []))
    #expect(connection.response()?.code == 200)
  }

  @Test func aBodyBeyondTheLimitIsRefusedHoweverItIsSent() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        let json = "Content-Type: application/json"
        // Only announced: the answer comes before the body.
        var announced = try RawConnection(port: port)
        _ = announced.send(Self.request("POST", widgets, [json, "Content-Length: 3145729"]))
        Self.expect(413, announced.response(), "announced")
        // Never announced, and sent whole.
        var chunked = try RawConnection(port: port)
        _ = chunked.send(Self.request("POST", widgets, [json, "Transfer-Encoding: chunked"]))
        let piece = Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 65_536) + Array("\r\n".utf8)
        for _ in 0..<49 { guard chunked.send(piece) else { break } }
        Self.expect(413, chunked.response(), "chunked")
        // As large as it may be.
        var largest = try RawConnection(port: port)
        let body = Array(#"{"metadata":{"name":"a"},"spec":{"size":1}}"#.utf8)
        let padded = body + [UInt8](repeating: 0x20, count: 3_145_728 - body.count)
        _ = largest.send(Self.request("POST", widgets, [json, "Content-Length: \(padded.count)"], padded))
        #expect(largest.response()?.code == 201)
        try Self.expectLife(port)
      }
    }
  }

  @Test(
    "Depth beyond any use is refused in every format",
    arguments: [
      ("POST", "application/json", "[", ""), ("POST", "application/json", #"{"a":"#, ""),
      ("POST", "application/yaml", "[", ""), ("POST", "application/yaml", "{a: ", ""),
      ("POST", "application/yaml", "- ", ""), ("PATCH", "application/merge-patch+json", #"{"a":"#, ""),
      ("PATCH", "application/json-patch+json", "[", ""), ("PATCH", "application/apply-patch+yaml", "{a: ", ""),
      ("DELETE", "application/json", "[", ""),
    ])
  func depth(method: String, type: String, unit: String, end: String) async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var connection = try RawConnection(port: port)
        let body = Array(String(repeating: unit, count: 100_000).utf8)
        let path = widgets + (method == "POST" ? "" : "/a?fieldManager=m")
        _ = connection.send(
          Self.request(method, path, ["Content-Type: \(type)", "Content-Length: \(body.count)"], body))
        Self.expect(400, connection.response(), "\(method) \(type)")
        try Self.expectLife(port)
      }
    }
  }

  @Test func headersBeyondTheLimitEndTheConnectionAndNothingElse() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var large = try RawConnection(port: port)
        _ = large.send(Self.request("GET", widgets, ["X-Large: " + String(repeating: "x", count: 1 << 20)]))
        let answer = large.response()?.code ?? 0
        #expect([0, 400, 431].contains(answer))
        var many = try RawConnection(port: port)
        _ = many.send(Self.request("GET", widgets, (0..<50_000).map { "X-\($0): y" }))
        #expect([0, 400, 431].contains(many.response()?.code ?? 0))
        var line = try RawConnection(port: port)
        _ = line.send(Self.request("GET", widgets + "?x=" + String(repeating: "x", count: 1 << 20), []))
        #expect([0, 400, 414, 431].contains(line.response()?.code ?? 0))
        for garbage in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
          var connection = try RawConnection(port: port, milliseconds: 500)
          _ = connection.send(Array(garbage.utf8))
          #expect((connection.response()?.code ?? 400) >= 400)
        }
        try Self.expectLife(port)
      }
    }
  }

  @Test func aBodyThatBreaksOffStoresNothing() async throws {
    try await RunningServer.withStore { server, store in
      let port = server.port
      let before = await store.currentVersion
      try await onThread {
        for _ in 0..<20 {
          let connection = try RawConnection(port: port)
          _ = connection.send(
            Self.request(
              "POST", widgets, ["Content-Type: application/json", "Content-Length: 500"],
              Array(#"{"metadata":{"name":"a"}}"#.utf8)))
        }
        try Self.expectLife(port)
      }
      #expect(await store.currentVersion == before)
    }
  }
}
