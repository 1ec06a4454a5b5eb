import Documents
import ResourceConformance
import ResourceStore
import Resources
import TestSupport
import Testing

private let core = "/api/v1/namespaces/default/events"
private let group = "/apis/events.k8s.io/v1/namespaces/default/events"

/// The core group's events under the names of events.k8s.io/v1.
@Suite("events.k8s.io", .timeLimit(.minutes(10)))
struct EventsGroupTests {
  private static let stored = """
    {"metadata":{"name":"pump.1"},"involvedObject":{"kind":"Device","name":"pump","uid":"u-1"},"reason":"Connected",
     "message":"it answers","type":"Normal","count":2,"firstTimestamp":"2026-01-01T00:00:00Z",
     "lastTimestamp":"2026-01-01T00:01:00Z","source":{"component":"selvedge"},"reportingComponent":"selvedge"}
    """
  private static let served = """
    {"metadata":{"name":"pump.2"},"regarding":{"kind":"Device","name":"pump","uid":"u-1"},"reason":"Lost",
     "note":"it is silent","type":"Warning","eventTime":"2026-01-01T00:02:00.000000Z",
     "reportingController":"other","reportingInstance":"other-1","action":"Poll"}
    """

  private static func write(
    _ server: RunningServer, _ method: String, _ path: String, _ body: String, _ type: String = "application/json"
  )
    async throws -> (code: Int, json: JSONValue)
  {
    let answer = try await server.curl(
      path, ["-X", method, "-H", "Content-Type: \(type)", "--data-binary", "@-"], input: body)
    return (answer.code, try JSONValue(parsing: Array(answer.body.utf8)))
  }

  private static func read(_ server: RunningServer, _ path: String) async throws -> JSONValue {
    try JSONValue(parsing: Array(try await server.curl(path).body.utf8))
  }

  @Test func eitherFormShowsWhatTheOtherMade() async throws {
    try await RunningServer.withStore { server, _ in
      #expect(try await Self.write(server, "POST", core, Self.stored).code == 201)
      #expect(try await Self.write(server, "POST", group, Self.served).code == 201)
      let first = try await Self.read(server, group + "/pump.1")
      #expect(first["apiVersion"] == "events.k8s.io/v1" && first["kind"] == "Event")
      #expect(first[path: "regarding", "name"] == "pump" && first["note"] == "it answers")
      #expect(first["deprecatedCount"] == 2 && first["deprecatedLastTimestamp"] == "2026-01-01T00:01:00Z")
      #expect(first["reportingController"] == "selvedge" && first[path: "deprecatedSource", "component"] == "selvedge")
      #expect(first["involvedObject"] == nil && first["message"] == nil && first["count"] == nil)
      let second = try await Self.read(server, core + "/pump.2")
      #expect(second["apiVersion"] == "v1" && second[path: "involvedObject", "name"] == "pump")
      #expect(second["message"] == "it is silent" && second["reportingComponent"] == "other")
      let list = try await Self.read(server, group)
      #expect(list["kind"] == "EventList" && list["apiVersion"] == "events.k8s.io/v1")
      #expect(list["items"]?.array?.map { $0["note"] } == ["it answers", "it is silent"])
    }
  }

  @Test func itsOwnNamesSelectAndChangeIt() async throws {
    try await RunningServer.withStore { server, _ in
      _ = try await Self.write(server, "POST", core, Self.stored)
      _ = try await Self.write(server, "POST", group, Self.served)
      let chosen = try await Self.read(server, group + "?fieldSelector=regarding.name=pump,reportingController=other")
      #expect(chosen["items"]?.array?.map { $0[path: "metadata", "name"] } == ["pump.2"])
      let merged = try await Self.write(
        server, "PATCH", group + "/pump.2", #"{"note":"still silent","deprecatedCount":3}"#,
        "application/merge-patch+json")
      #expect(merged.code == 200 && merged.json["note"] == "still silent")
      let patched = try await Self.write(
        server, "PATCH", group + "/pump.2",
        #"[{"op":"test","path":"/note","value":"still silent"},{"op":"remove","path":"/deprecatedCount"}]"#,
        "application/json-patch+json")
      #expect(patched.code == 200 && patched.json["deprecatedCount"] == nil)
      let inCore = try await Self.read(server, core + "/pump.2")
      #expect(inCore["message"] == "still silent" && inCore["count"] == nil)
    }
  }

  @Test func aWatchShowsItsForm() async throws {
    try await RunningServer.withStore { server, _ in
      let watch = try Subprocess.Running("/usr/bin/curl", ["-sN", "--max-time", "60", server.url + group + "?watch=1"])
      defer { watch.terminate() }
      _ = try await Self.write(server, "POST", core, Self.stored)
      try await eventually("the event is seen", seen: { watch.output }) { watch.output.contains("it answers") }
      let line = watch.output.split(separator: "\n").first { $0.contains("it answers") } ?? ""
      let event = try JSONValue(parsing: Array(line.utf8))
      #expect(event["type"] == "ADDED" && event[path: "object", "regarding", "name"] == "pump")
      #expect(event[path: "object", "apiVersion"] == "events.k8s.io/v1")
    }
  }

  @Test func discoveryAndKubectlKnowIt() async throws {
    try await RunningServer.withStore { server, _ in
      _ = try await Self.write(server, "POST", core, Self.stored)
      let resources = try await Self.read(server, "/apis/events.k8s.io/v1")
      #expect(resources["resources"]?.array?.first?["kind"] == "Event")
      let table = try await Subprocess.run(
        "/usr/bin/kubectl",
        ["--server", server.url, "--cache-dir", "/tmp/none-\(server.port)", "get", "events.events.k8s.io"])
      #expect(table.output.contains("Device/pump") && table.output.contains("it answers"), "\(table.description)")
    }
  }
}
