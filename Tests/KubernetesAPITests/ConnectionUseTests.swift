import Glibc
import Testing

/// How clients may use a connection (RFC 9112).
@Suite("Connections of HTTP/1.1", .timeLimit(.minutes(10)))
struct ConnectionUseTests {
  private static let widgets = "/apis/test.dev/v1/namespaces/default/widgets"

  private static func request(_ method: String, _ path: String, _ headers: [String] = [], _ body: String = "")
    -> [UInt8]
  {
    Array((["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers + ["", body]).joined(separator: "\r\n").utf8)
  }

  private static func widget(_ name: String) -> String { #"{"metadata":{"name":"\#(name)"},"spec":{"size":1}}"# }

  private static func create(_ name: String, _ more: [String] = []) -> [UInt8] {
    let body = widget(name)
    return request(
      "POST", widgets, ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] + more, body)
  }

  @Test func requestsSentAtOnceAreAnsweredInTheirOrder() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var connection = try RawConnection(port: port)
        var all: [UInt8] = []
        for index in 0..<40 {
          all += Self.create("w-\(index)") + Self.request("GET", Self.widgets + "/w-\(index)")
          all += Self.request("HEAD", Self.widgets + "/w-\(index)")
        }
        try connection.mustSend(all)
        for index in 0..<40 {
          let created = connection.response()
          #expect(created?.code == 201 && created?.text.contains("\"w-\(index)\"") == true)
          let read = connection.response()
          #expect(read?.code == 200 && read?.text.contains("\"w-\(index)\"") == true)
          #expect(connection.response(isHead: true)?.code == 200)
        }
      }
    }
  }

  @Test func anAnswerBeforeTheBodyLeavesTheConnectionUsable() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var connection = try RawConnection(port: port)
        let body = String(repeating: " ", count: 1 << 20)
        try connection.mustSend(
          Self.request(
            "POST", "/nowhere", ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"], body))
        #expect(connection.response()?.code == 404)
        try connection.mustSend(Self.create("after"))
        #expect(connection.response()?.code == 201)
      }
    }
  }

  @Test func aClientThatWaitsIsToldToGoOnOnlyWhereTheBodyIsWanted() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var wanted = try RawConnection(port: port)
        let body = Self.widget("patient")
        let headers = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)", "Expect: 100-continue"]
        try wanted.mustSend(Self.request("POST", Self.widgets, headers))
        #expect(wanted.interim() == 100)
        try wanted.mustSend(Array(body.utf8))
        #expect(wanted.response()?.code == 201)
        var refused = try RawConnection(port: port)
        try refused.mustSend(Self.request("POST", Self.widgets, [headers[0], "Content-Length: 9999999", headers[2]]))
        #expect(refused.response()?.code == 413)
      }
    }
  }

  @Test func aClientThatHasSaidAllGetsItsAnswer() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var connection = try RawConnection(port: port)
        try connection.mustSend(Self.create("last-words"))
        connection.endSending()
        let answer = connection.response()
        #expect(answer?.code == 201 && answer?.isWhole == true)
        #expect(connection.response() == nil && connection.isOver)
      }
    }
  }

  @Test(arguments: [
    ("GET \(widgets) HTTP/1.0\r\nHost: localhost\r\n\r\n", true),
    ("GET \(widgets) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", true),
    ("GET http://localhost\(widgets) HTTP/1.1\r\nHost: localhost\r\n\r\n", false),
  ])
  func theConnectionEndsWhereTheClientWishesIt(text: String, ends: Bool) async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var connection = try RawConnection(port: port)
        try connection.mustSend(Array(text.utf8))
        if text.contains("1.0") {
          #expect(connection.everything().contains(#""kind":"WidgetList""#))
        } else {
          #expect(connection.response()?.code == 200)
          _ = connection.send(Self.request("GET", Self.widgets))
          #expect(connection.response()?.code == (ends ? nil : 200))
        }
      }
    }
  }

  @Test func nonsenseIsRefusedAndTheConnectionEnds() async throws {
    try await RunningServer.withStore { server, _ in
      let port = server.port
      try await onThread {
        var connection = try RawConnection(port: port)
        try connection.mustSend(Array("NONSENSE\r\n\r\n".utf8))
        #expect(connection.response()?.code == 400)
        #expect(connection.response() == nil && connection.isOver)
      }
    }
  }
}
