import Documents
import Foundation
import KubernetesAPI
import Logging
import ResourceConformance
import ResourceStore
import Resources
import Testing

private let widgets = "/apis/test.dev/v1/namespaces/default/widgets"

/// The API over a store of its own.
struct StoreAPI {
  let data: DataDirectory
  let store: EmbeddedResourceStore
  let api: KubernetesAPI

  init(_ retention: EmbeddedResourceStore.Retention = .init()) async throws {
    data = try DataDirectory()
    let store = try await data.open(retention)
    self.store = store
    api = KubernetesAPI(
      backends: [store], now: { Fixtures.noon }, version: "0.1.0", logger: Logger(label: "test"))
  }

  @discardableResult
  func fill(_ names: String..., labels: [String: String] = [:]) async throws -> UInt64 {
    for name in names {
      _ = try await store.create(
        TestKinds.widgets, namespace: "default", TestKinds.widget(name, ["size": 1], labels: labels), WriteOptions())
    }
    return await store.currentVersion
  }

  func names() async throws -> [String] {
    try await store.list(TestKinds.widgets, ListOptions()).items.map(\.metadata.name)
  }
}

@Suite("What Kubernetes' rules make of a request", .timeLimit(.minutes(10)))
struct SemanticsTests {
  /// NEWEST stands for the newest version.
  @Test(
    "A list answers the version that was asked for, or says why not",
    arguments: [
      ("", 200, ""), ("resourceVersion=0", 200, ""), ("resourceVersion=NEWEST", 200, ""),
      ("resourceVersion=1", 200, ""),
      ("resourceVersion=1&resourceVersionMatch=NotOlderThan", 200, ""),
      ("resourceVersion=0&resourceVersionMatch=NotOlderThan", 200, ""),
      ("resourceVersion=NEWEST&resourceVersionMatch=Exact", 200, ""),
      ("resourceVersion=PAST&resourceVersionMatch=Exact", 200, ""),
      ("resourceVersion=0&resourceVersionMatch=Exact", 422, "Invalid"), ("resourceVersionMatch=Exact", 422, "Invalid"),
      ("resourceVersionMatch=NotOlderThan", 422, "Invalid"),
      ("resourceVersionMatch=Newest&resourceVersion=1", 422, "Invalid"), ("resourceVersion=+1", 400, "BadRequest"),
      ("resourceVersion=x", 400, "BadRequest"), ("sendInitialEvents=true", 422, "Invalid"),
      ("sendInitialEvents=false", 422, "Invalid"), ("limit=-1", 400, "BadRequest"),
      ("limit=9223372036854775808", 400, "BadRequest"), ("limit=9223372036854775807", 200, ""),
      ("continue=x", 400, "BadRequest"), ("continue=x&resourceVersion=1", 400, "BadRequest"),
      ("labelSelector=a+b", 400, "BadRequest"), ("fieldSelector=spec.size=1", 400, "BadRequest"),
      ("fieldSelector=spec.colour=red", 200, ""), ("timeoutSeconds=-1", 400, "BadRequest"),
    ])
  func listing(query: String, code: Int, reason: String) async throws {
    let it = try await StoreAPI()
    let past = try await it.fill("a", "b")
    let newest = try await it.fill("c")
    let reply = try await it.api.send(
      .get,
      widgets + "?"
        + query.replacingOccurrences(of: "NEWEST", with: "\(newest)").replacingOccurrences(of: "PAST", with: "\(past)"))
    let isPast = query.contains("PAST")
    #expect(reply.code == code, "\(reply.text)")
    if code == 200 {
      #expect(reply.json["items"]?.array?.count == (isPast ? 2 : 3) && reply.json["kind"] == "WidgetList")
      #expect(reply.json[path: "metadata", "resourceVersion"]?.string == "\(isPast ? past : newest)")
    } else {
      #expect(reply.json["kind"] == "Status" && reply.json["reason"]?.string == reason)
    }
  }

  @Test(
    "A watch refuses options that contradict each other",
    arguments: [
      "sendInitialEvents=true", "sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
      "resourceVersionMatch=NotOlderThan&resourceVersion=1",
    ])
  func watchOptions(query: String) async throws {
    let it = try await StoreAPI()
    let reply = try await it.api.send(.get, widgets + "?watch=1&" + query)
    #expect(reply.code == 422 && reply.json["reason"] == "Invalid", "\(reply.text)")
  }

  @Test("What comes within three seconds is waited for; what does not is a Timeout with its cause")
  func future() async throws {
    let it = try await StoreAPI()
    let version = try await it.fill("a")
    async let list = it.api.send(.get, widgets + "?resourceVersion=\(version + 1)")
    async let object = it.api.send(.get, widgets + "/a?resourceVersion=\(version + 1)")
    async let late = it.api.send(.get, widgets + "?resourceVersion=\(version + 1000)")
    async let watch = it.api.send(.get, widgets + "?watch=1&resourceVersion=\(version + 1000)")
    try await it.fill("b")
    #expect(try await list.json["items"]?.array?.count == 2)
    #expect(try await object.code == 200)
    for reply in try await [late, watch] {
      #expect(reply.code == 504 && reply.json["reason"] == "Timeout" && reply.header("Retry-After") == ["1"])
      #expect(
        reply.json["message"]?.string
          == "Timeout: Too large resource version: \(version + 1000), current: \(version + 1)")
      #expect(reply.json[path: "details", "causes"]?.array?.first?["reason"] == "ResourceVersionTooLarge")
    }
  }

  @Test(
    "A watch that lists first says where its list ends, in the shape that is asked for",
    arguments: [
      ("application/json", "Widget"), ("application/json;as=Table;v=v1;g=meta.k8s.io", "Table"),
      ("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "PartialObjectMetadata"),
    ])
  func watchList(accept: String, kind: String) async throws {
    let it = try await StoreAPI()
    let version = try await it.fill("a", "b")
    let target =
      widgets + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async let reply = it.api.send(.get, target, accept: accept)
    while it.store.watcherCount == 0 { await Task.yield() }
    await it.store.endWatches()
    let events = try await reply.text.split(separator: "\n").map { try JSONValue(parsing: $0) }
    #expect(events.map { $0["type"] } == ["ADDED", "ADDED", "BOOKMARK"])
    #expect(events.allSatisfy { $0[path: "object", "kind"]?.string == kind })
    let mark = kind == "Table" ? events.last?[path: "object", "rows"]?.array?.first?["object"] : events.last?["object"]
    #expect(mark?[path: "metadata", "annotations"] == ["k8s.io/initial-events-end": "true"])
    #expect(mark?[path: "metadata", "resourceVersion"]?.string == "\(version)")
    if kind == "PartialObjectMetadata" { #expect(events[0][path: "object", "spec"] == nil) }
  }

  @Test("A collection is deleted by its selectors alone, and a dry run deletes nothing")
  func deleteCollection() async throws {
    let it = try await StoreAPI()
    try await it.fill("a", "b", labels: ["line": "1"])
    try await it.fill("c", "d")
    #expect(try await it.api.send(.delete, widgets + "?labelSelector=line%3D1&dryRun=All").code == 200)
    #expect(try await it.api.send(.delete, widgets, json: ["dryRun": ["All"]]).code == 200)
    #expect(try await it.names() == ["a", "b", "c", "d"])
    #expect(try await it.api.send(.delete, widgets + "?labelSelector=line%3D1").json["status"] == "Success")
    #expect(try await it.names() == ["c", "d"])
    #expect(try await it.api.send(.delete, widgets + "?fieldSelector=metadata.name%3Dd").code == 200)
    #expect(try await it.names() == ["c"])
    #expect(try await it.api.send(.delete, widgets + "?fieldSelector=spec.size%3D1").code == 400)
    #expect(try await it.names() == ["c"])
  }

  @Test("A collection larger than the log of changes is deleted whole")
  func longDeleteCollection() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.changes = 64
    let it = try await StoreAPI(retention)
    for index in 0..<1_100 { try await it.fill("w\(index)") }
    #expect(try await it.api.send(.delete, widgets).code == 200)
    #expect(try await it.names() == [])
  }

  @Test(
    "Options of a deletion count in the body and in the query; those that cannot be read delete nothing",
    arguments: [
      ("propagationPolicy=Orphan", "", 200), ("", #"{"propagationPolicy":"Foreground"}"#, 200),
      ("", #"{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}"#, 200),
      ("gracePeriodSeconds=0", "", 200), ("propagationPolicy=Never", "", 422),
      ("", #"{"propagationPolicy":"Never"}"#, 422), ("", #"{"propagationPolicy":5}"#, 400),
      ("", #"{"preconditions":{"uid":7}}"#, 400), ("", #"{"preconditions":"x"}"#, 400),
      ("", #"{"preconditions":{"uid":"other"}}"#, 409), ("", #"{"preconditions":{"resourceVersion":"1"}}"#, 409),
      ("", #"{"orphanDependents":true,"propagationPolicy":"Orphan"}"#, 422), ("", #"{"orphanDependents":1}"#, 400),
      ("dryRun=Some", "", 422), ("", #"{"dryRun":["Some"]}"#, 422), ("", #"{"dryRun":"All"}"#, 400),
      ("", "[]", 400), ("", "{", 400), ("", #"{"kind":"Pod"}"#, 400),
    ])
  func deleteOptions(query: String, body: String, code: Int) async throws {
    let it = try await StoreAPI()
    try await it.fill("a")
    let reply = try await it.api.send(.delete, widgets + "/a?" + query, Array(body.utf8))
    #expect(reply.code == code, "\(reply.text)")
    #expect(try await it.names() == (code == 200 ? [] : ["a"]))
  }

  @Test(
    "Unknown fields are dropped, told or refused",
    arguments: [("Ignore", 201, 0), ("Warn", 201, 1), ("", 201, 1), ("Strict", 400, 0), ("Perhaps", 422, 0)])
  func fieldValidation(mode: String, code: Int, warnings: Int) async throws {
    let it = try await StoreAPI()
    let body: JSONValue = ["metadata": ["name": "a"], "spec": ["size": 1, "weight": 2]]
    let reply = try await it.api.send(.post, widgets + (mode.isEmpty ? "" : "?fieldValidation=\(mode)"), json: body)
    #expect(reply.code == code && reply.header("Warning").count == warnings, "\(reply.text)")
    if warnings > 0 { #expect(reply.header("Warning") == [#"299 - "unknown field \"spec.weight\"""#]) }
    if code == 201 { #expect(reply.json["spec"] == ["size": 1, "colour": "red"]) }
    if code == 400 {
      #expect(
        reply.json["message"]
          == #"Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.weight""#
      )
    }
    let patched = try await it.api.send(
      .patch, widgets + "/a?fieldManager=m" + (mode.isEmpty ? "" : "&fieldValidation=\(mode)"),
      contentType: "application/apply-patch+yaml",
      Array("apiVersion: test.dev/v1\nkind: Widget\nspec: {weight: 2}".utf8))
    #expect(patched.code == (code == 201 ? 200 : code))
    #expect(patched.header("Warning").count == warnings)
  }

  @Test(
    "A field manager has at most 128 printable bytes",
    arguments: [
      (String(repeating: "x", count: 128), 201), (String(repeating: "x", count: 129), 422), ("a%07", 422),
      ("a%C2%85", 422), ("a%E2%80%A8b", 422), ("a%C2%A0b", 422), ("a%20b", 201), ("%C3%A9t%C3%A9", 201),
    ])
  func fieldManager(name: String, code: Int) async throws {
    let it = try await StoreAPI()
    let reply = try await it.api.send(
      .post, widgets + "?fieldManager=" + name, json: ["metadata": ["name": "a"], "spec": ["size": 1]])
    #expect(reply.code == code, "\(reply.text)")
    if code == 201 {
      #expect(
        reply.json[path: "metadata", "managedFields"]?.array?.first?["manager"]?.string == name.removingPercentEncoding)
    }
  }

  @Test(
    "A User-Agent always makes a manager",
    arguments: [
      ("kubectl/v1.32 (linux)", "kubectl"), ("a\u{7}b/1", "ab"), (String(repeating: "é", count: 100), ""),
      ("", "unknown"),
    ])
  func userAgent(agent: String, manager: String) async throws {
    let it = try await StoreAPI()
    let body: JSONValue = ["metadata": ["name": "a"], "spec": ["size": 1]]
    let reply = try await it.api.send(.post, widgets, userAgent: agent, body.serialised())
    #expect(reply.code == 201, "\(reply.text)")
    let named = reply.json[path: "metadata", "managedFields"]?.array?.first?["manager"]?.string ?? ""
    #expect(named == (manager.isEmpty ? String(repeating: "é", count: 64) : manager))
  }

  @Test(
    "A patch that is no patch of custom resources is refused with those that are",
    arguments: ["application/strategic-merge-patch+json", "application/json", "text/plain", ""])
  func patchTypes(type: String) async throws {
    let it = try await StoreAPI()
    try await it.fill("a")
    let reply = try await it.api.send(.patch, widgets + "/a", contentType: type, Array("{}".utf8))
    #expect(reply.code == 415 && reply.json["reason"] == "UnsupportedMediaType")
    #expect(
      reply.json["message"]
        == "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
  }

  @Test("What there is not is said in Kubernetes' words, with empty details")
  func words() async throws {
    let it = try await StoreAPI()
    for path in ["/apis/test.dev/v1/absents", "/apis/absent.dev", "/api/v2", "/apis/test.dev/v1/widgets/a/b/c/d"] {
      let reply = try await it.api.send(.get, path)
      #expect(reply.code == 404 && reply.json["details"] == [:], "\(path)")
      #expect(reply.json["message"] == "the server could not find the requested resource")
    }
    let method = try await it.api.send(.post, widgets + "/a", json: [:])
    #expect(method.code == 405 && method.json["reason"] == "MethodNotAllowed")
    #expect(method.json["message"] == "the server does not allow this method on the requested resource")
    let absent = try await it.api.send(.get, widgets + "/a")
    #expect(absent.json["details"] == ["name": "a", "group": "test.dev", "kind": "widgets"])
  }

  @Test("Only who asks gets a pretty answer")
  func pretty() async throws {
    let it = try await StoreAPI()
    try await it.fill("a")
    #expect(try await it.api.send(.get, widgets + "/a?pretty=true").text.contains("\n  "))
    #expect(try await !it.api.send(.get, widgets + "/a").text.contains("\n  "))
    #expect(try await !it.api.send(.get, widgets + "/a?pretty=false").text.contains("\n  "))
  }
}
