import Documents
import KubernetesAPI
import Resources
import Testing

private let gadgets = "/apis/example.dev/v1/namespaces/n/gadgets"

@Suite("Verbs on resources")
struct ResourceCallTests {
  let backend = RecordingBackend()
  var api: KubernetesAPI { Fixtures.api(backend) }
  func fill(_ count: Int, namespace: String = "n") {
    for index in 0..<count {
      _ = backend.put(
        Fixtures.gadget.name, ObjectKey(namespace: namespace, name: "g\(1000 + index)"),
        ["apiVersion": "example.dev/v1", "kind": "Gadget", "spec": ["size": .integer(Int64(index))]])
    }
  }

  @Test func aListWithoutALimitIsWholeAndFetchedByPages() async throws {
    fill(1_203)
    let list = try await api.send(.get, gadgets).json
    #expect(list["kind"] == "GadgetList" && list["apiVersion"] == "example.dev/v1")
    #expect(list["items"]?.array?.count == 1_203)
    #expect(list[path: "metadata", "resourceVersion"] == "1213" && list[path: "metadata", "continue"] == nil)
    #expect(backend.listLimits == [500, 500, 500])
  }

  @Test func anEmptyListHasItems() async throws {
    #expect(try await api.send(.get, gadgets).json["items"] == [])
    let table = try await api.send(.get, gadgets, accept: "application/json;as=Table;v=v1;g=meta.k8s.io").json
    #expect(table["rows"] == [] && table["columnDefinitions"]?.array?.count == 2)
  }

  @Test func aLimitedListSaysHowItGoesOn() async throws {
    fill(5)
    let first = try await api.send(.get, gadgets + "?limit=2&pretty=true")
    #expect(first.json["items"]?.array?.count == 2)
    #expect(first.json[path: "metadata", "remainingItemCount"] == 3)
    let token = try #require(first.json[path: "metadata", "continue"]?.string)
    let next = try await api.send(.get, gadgets + "?limit=2&continue=\(token)")
    #expect(next.json["items"]?.array?.first?[path: "metadata", "name"] == "g1002")
  }

  @Test func tablesCarryCellsAndTheIncludedObject() async throws {
    fill(2)
    let accept = "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
    let table = try await api.send(.get, gadgets, accept: accept).json
    #expect(table["apiVersion"] == "meta.k8s.io/v1beta1")
    #expect(table["rows"]?.array?[1]["cells"] == ["g1001", 1])
    #expect(table["rows"]?.array?[1][path: "object", "apiVersion"] == "meta.k8s.io/v1beta1")
    let bare = try await api.send(.get, gadgets + "/g1000?includeObject=None", accept: accept).json
    #expect(bare["rows"]?.array == [["cells": ["g1000", 0]]])
    #expect(try await api.send(.get, gadgets + "?includeObject=All", accept: accept).code == 422)
  }

  @Test func partialObjectsAreMetadataAlone() async throws {
    fill(1)
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    let list = try await api.send(.get, gadgets, accept: accept).json
    #expect(list["kind"] == "PartialObjectMetadataList")
    #expect(list["items"]?.array?.first?["kind"] == "PartialObjectMetadata")
    #expect(list["items"]?.array?.first?["spec"] == nil)
  }

  @Test func anExactVersionThatIsPastIsGone() async throws {
    fill(3)
    #expect(try await api.send(.get, gadgets + "?resourceVersion=13&resourceVersionMatch=Exact").code == 200)
    #expect(try await api.send(.get, gadgets + "?resourceVersion=12&resourceVersionMatch=Exact").code == 410)
    #expect(try await api.send(.get, gadgets + "?resourceVersion=12").code == 200)
  }

  @Test func aVersionFromTheFutureIsWaitedFor() async throws {
    fill(1)
    let reply = try await api.send(.get, gadgets + "?resourceVersion=12")
    // The version is 11: nobody writes, so the wait ends in a Timeout that names its cause.
    #expect(reply.code == 504 && reply.json["reason"] == "Timeout")
    #expect(reply.json[path: "details", "causes"]?.array?.first?["reason"] == "ResourceVersionTooLarge")
  }

  @Test func aCreateTakesItsIdentityFromTheAddress() async throws {
    let reply = try await api.send(.post, gadgets + "?dryRun=All&fieldManager=me", json: ["metadata": ["name": "x"]])
    #expect(reply.code == 201)
    #expect(reply.json["kind"] == "Gadget" && reply.json[path: "metadata", "namespace"] == "n")
    #expect(reply.header("Warning") == ["299 - \"unknown field \\\"spec.x\\\"\""])
    #expect(backend.calls == ["create me dry=true Warn"])
  }

  @Test func aCreateReadsYAML() async throws {
    let reply = try await api.send(
      .post, gadgets, contentType: "application/yaml", Array("metadata: {name: y}\nspec: {size: 3}".utf8))
    #expect(reply.code == 201 && reply.json[path: "spec", "size"] == 3)
  }

  @Test(
    "Bodies that do not fit are refused",
    arguments: [
      ("application/json", "{\"a\": }", 400), ("application/json", "[]", 400), ("application/yaml", "a: [", 400),
      ("application/yaml", "a: 1\n---\nb: 2", 400), ("application/json", "{\"kind\":\"Other\"}", 400),
      ("application/json", "{\"apiVersion\":\"v1\"}", 400), ("application/json", "{\"metadata\":[]}", 400),
      ("application/json", "{\"metadata\":{\"namespace\":\"m\"}}", 400), ("text/csv", "a", 415), ("", "{", 400),
      ("application/vnd.kubernetes.protobuf", "k8s", 400),
    ])
  func badBodies(type: String, body: String, code: Int) async throws {
    let reply = try await api.send(.post, gadgets, contentType: type, Array(body.utf8))
    #expect(reply.code == code && reply.json["kind"] == "Status" && reply.json["code"]?.int == code)
    #expect(backend.calls.isEmpty)
  }

  @Test func aKeyGivenTwiceIsToldOrRefused() async throws {
    let body = Array(#"{"metadata":{"name":"x"},"spec":{"size":1,"size":2}}"#.utf8)
    let warned = try await api.send(.post, gadgets, body)
    #expect(warned.header("Warning").first?.contains("duplicate field \\\"spec.size\\\"") == true)
    let strict = try await api.send(.post, gadgets + "?fieldValidation=Strict", body)
    #expect(strict.code == 400)
    #expect(
      strict.json["message"]
        == "Gadget in version \"v1\" cannot be handled as a Gadget: strict decoding error: duplicate field \"spec.size\""
    )
  }

  @Test func aKeyGivenTwiceInYAMLIsToldTooAndTheLastCounts() async throws {
    let body = Array("metadata: {name: x}\nspec:\n  size: 1\n  list: [{a: 1, a: 2}]\n  size: 2\n".utf8)
    let warned = try await api.send(.post, gadgets, contentType: "application/yaml", body)
    #expect(warned.header("Warning").contains { $0.contains("duplicate field \\\"spec.size\\\"") })
    #expect(warned.header("Warning").contains { $0.contains("duplicate field \\\"spec.list[0].a\\\"") })
    #expect(backend.calls.count == 1)
    let strict = try await api.send(.post, gadgets + "?fieldValidation=Strict", contentType: "application/yaml", body)
    #expect(strict.code == 400)
    #expect(
      strict.json["message"]
        == "Gadget in version \"v1\" cannot be handled as a Gadget: strict decoding error: duplicate field \"spec.list[0].a\", duplicate field \"spec.size\""
    )
    #expect(backend.calls.count == 1)
  }

  @Test(
    "Bodies that ask for too much are refused",
    arguments: [
      ("application/json", String(repeating: "[", count: 100_000)),
      ("application/json", String(repeating: "{\"a\":", count: 5_000) + "1" + String(repeating: "}", count: 5_000)),
      ("application/yaml", String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000)),
      (
        "application/yaml",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
          + zip("bcdefghi", "abcdefgh").map {
            "\($0): &\($0) [\(Array(repeating: "*\($1)", count: 10).joined(separator: ", "))]\n"
          }
          .joined()
      ), ("application/yaml", "a: .nan"), ("application/json", "{\"a\": 1e999}"), ("application/json", "{\"a\": NaN}"),
    ])
  func greedyBodies(type: String, body: String) async throws {
    let reply = try await api.send(.post, gadgets, contentType: type, Array(body.utf8))
    #expect(reply.code == 400 && reply.json["reason"] == "BadRequest")
    #expect((reply.json["message"]?.string?.utf8.count ?? 0) < 500)
    #expect(backend.calls.isEmpty)
  }

  @Test func everyKindOfPatchReachesTheBackend() async throws {
    fill(1)
    let target = gadgets + "/g1000"
    #expect(try await api.send(.patch, target, contentType: "application/merge-patch+json", json: ["a": 1]).code == 200)
    #expect(
      try await api.send(.patch, target + "/status", contentType: "application/merge-patch+json", json: [:]).code == 200
    )
    #expect(try await api.send(.patch, target, contentType: "application/json-patch+json", json: []).code == 200)
    let applied = Array("apiVersion: example.dev/v1\nkind: Gadget\nspec: {size: 1}".utf8)
    let apply = gadgets + "/new?fieldManager=m&force=true"
    #expect(try await api.send(.patch, apply, contentType: "application/apply-patch+yaml", applied).code == 201)
    #expect(backend.calls == ["merge - {\"a\":1}", "merge status {}", "json []", "apply m force=true {\"size\":1}"])
  }

  @Test(
    "Patches that cannot be are refused",
    arguments: [
      ("", "application/strategic-merge-patch+json", "{}", 415), ("", "application/json", "{}", 415),
      ("", "application/merge-patch+json", "[]", 400), ("", "application/json-patch+json", "{}", 400),
      ("?force=true", "application/merge-patch+json", "{}", 422),
      ("", "application/apply-patch+yaml", "apiVersion: example.dev/v1\nkind: Gadget", 422),
      ("?fieldManager=m", "application/apply-patch+yaml", "kind: Gadget", 400),
      (
        "?fieldManager=m", "application/apply-patch+yaml",
        "apiVersion: example.dev/v1\nkind: Gadget\nmetadata: {name: other}", 400
      ),
    ])
  func badPatches(query: String, type: String, body: String, code: Int) async throws {
    let reply = try await api.send(.patch, gadgets + "/g1000" + query, contentType: type, Array(body.utf8))
    #expect(reply.code == code)
    if code == 415 { #expect(reply.json["message"]?.string?.contains("application/merge-patch+json") == true) }
    #expect(backend.calls.isEmpty)
  }

  @Test func anEventTakesAStrategicMergeAsAMerge() async throws {
    let events = Fixtures.definition(
      group: "", kind: "Event", plural: "events", scope: "Namespaced", schema: ["type": "object"], columns: [],
      hasStatus: false)
    let backend = RecordingBackend([events])
    let reply = try await Fixtures.api(backend).send(
      .patch, "/api/v1/namespaces/n/events/e", contentType: "application/strategic-merge-patch+json", json: ["count": 2]
    )
    #expect(reply.code == 201 && backend.calls == ["merge - {\"count\":2}"])
  }

  @Test func aDeleteAnswersAStatusOrTheObjectThatIsHeld() async throws {
    fill(1)
    _ = backend.put(
      Fixtures.gadget.name, ObjectKey(namespace: "n", name: "held"), ["metadata": ["finalizers": ["x"]]])
    let gone = try await api.send(
      .delete, gadgets + "/g1000", json: ["kind": "DeleteOptions", "preconditions": ["uid": "u"]])
    #expect(gone.json["status"] == "Success" && gone.json[path: "details", "uid"] == "uid-g1000")
    let held = try await api.send(.delete, gadgets + "/held?propagationPolicy=Orphan", contentType: "")
    #expect(held.json[path: "metadata", "name"] == "held")
    #expect(
      backend.calls == ["delete n/g1000 Background dry=false uid=u", "delete n/held Orphan dry=false uid=-"])
    #expect(try await api.send(.delete, gadgets + "/held?propagationPolicy=Never").code == 422)
    #expect(try await api.send(.delete, gadgets + "/held", json: ["kind": "Pod"]).code == 400)
  }

  @Test func aCollectionIsDeletedWithinItsNamespace() async throws {
    fill(3)
    fill(1, namespace: "other")
    #expect(try await api.send(.delete, gadgets, contentType: "").code == 200)
    #expect(backend.calls.count == 3)
    #expect(try await api.send(.get, "/apis/example.dev/v1/gadgets").json["items"]?.array?.count == 1)
  }

  @Test(
    "Addresses and verbs that a kind has not",
    arguments: [
      (.get, "/apis/example.dev/v1/widgets", 404), (.get, "/apis/example.dev/v1/gadgets/x", 404),
      (.get, "/apis/example.dev/v1/namespaces/n/stations", 404), (.get, gadgets + "/x/scale", 404),
      (.get, "/apis/example.dev/v1/stations/x/status", 404), (.post, "/apis/example.dev/v1/gadgets", 405),
      (.post, gadgets + "/x", 405), (.put, gadgets, 405), (.delete, gadgets + "/x/status", 405),
      (.delete, "/apis/example.dev/v1/gadgets", 405), (.post, "/apis/example.dev/v1/stations", 405),
      (.delete, "/apis/example.dev/v1/stations/x", 405), (nil, gadgets, 405), (.get, gadgets + "/x", 404),
    ] as [(APICall.Method?, String, Int)])
  func notServed(method: APICall.Method?, path: String, code: Int) async throws {
    let reply = try await api.send(method, path, json: [:])
    #expect(reply.code == code && reply.json["kind"] == "Status")
    #expect(backend.calls.isEmpty)
  }
}
