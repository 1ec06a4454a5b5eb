import Documents
import ResourceConformance
import ResourceStore
import Resources
import Testing

private let widgets = "/apis/test.dev/v1/namespaces/default/widgets"

/// Large answers go packed to who takes them so.
@Suite("Packed answers", .timeLimit(.minutes(10)))
struct AnswerEncodingTests {
  private func fill(_ store: EmbeddedResourceStore, _ count: Int) async throws {
    for index in 0..<count {
      var widget = TestKinds.widget("w-\(index)", ["size": 1])
      widget["metadata"] = widget["metadata"]!.merging([
        "annotations": ["note": .string(String(repeating: "abcdefgh", count: 128))]
      ])
      _ = try await store.create(TestKinds.widgets, namespace: "default", widget, WriteOptions())
    }
  }

  @Test(arguments: [
    ("gzip", 300, true), ("deflate, gzip;q=0.5", 300, true), ("*", 300, true), ("br", 300, false), ("", 300, false),
    ("gzip;q=0", 300, false), ("gzip", 20, false),
  ])
  func aListIsPackedWhereItIsLargeAndTheClientTakesIt(accepted: String, count: Int, isPacked: Bool) async throws {
    try await RunningServer.withStore { server, store in
      try await fill(store, count)
      let path = widgets + "?pretty=false"
      let plain = try await server.curl(path)
      #expect(plain.code == 200 && !plain.head.contains("content-encoding"))
      let answer = try await Subprocess.run(
        "/usr/bin/curl", ["-sS", "-o", "/dev/null", "-D", "-", "-H", "Accept-Encoding: \(accepted)", server.url + path])
      #expect(answer.output.lowercased().contains("content-encoding: gzip\r\n") == isPacked, "\(answer.output)")
      guard isPacked else { return }
      #expect(answer.output.lowercased().contains("vary: accept-encoding\r\n"))
      let unpacked = try await Subprocess.run("/usr/bin/curl", ["-sS", "--compressed", server.url + path])
      #expect(unpacked.output == plain.body)
      let items = try JSONValue(parsing: Array(unpacked.output.utf8))["items"]?.array?.count
      #expect(items == count)
    }
  }

  @Test func aDocumentIsPackedToo() async throws {
    try await RunningServer.withStore { server, _ in
      let plain = try await server.curl("/openapi/v2")
      #expect(plain.body.utf8.count > 131_072 && !plain.head.contains("content-encoding"))
      let packed = try await server.curl("/openapi/v2", ["--compressed"])
      #expect(packed.head.contains("content-encoding: gzip") && packed.body == plain.body)
    }
  }
}
