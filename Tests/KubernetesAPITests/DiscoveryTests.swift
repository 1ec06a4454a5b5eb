import Documents
import KubernetesAPI
import Resources
import Testing

@Suite("Discovery")
struct DiscoveryTests {
  let api = Fixtures.api(RecordingBackend())

  @Test func legacyDocumentsNameEveryGroupVersionAndKind() async throws {
    #expect(try await api.send(.get, "/api").json["versions"] == ["v1"])
    let groups = try await api.send(.get, "/apis").json["groups"]?.array?.compactMap { $0["name"]?.string }
    #expect(groups == ["example.dev", "authorization.k8s.io", "authentication.k8s.io"])
    #expect(try await api.send(.get, "/apis/example.dev").json[path: "preferredVersion", "version"] == "v1")
    let resources = try await api.send(.get, "/apis/example.dev/v1").json["resources"]?.array ?? []
    #expect(resources.map { $0["name"] } == ["gadgets", "gadgets/status", "stations"])
    #expect(resources[0]["shortNames"] == ["gad"] && resources[0]["categories"] == ["all"])
    #expect(resources[1]["verbs"] == ["get", "patch", "update"])
    #expect(resources[2]["verbs"] == ["get", "list", "watch", "patch"])
    #expect(try await api.send(.get, "/api/v1").json["resources"] == [])
  }

  @Test("Aggregated discovery answers with the very parameters asked for", arguments: ["v2", "v2beta1"])
  func aggregated(version: String) async throws {
    let type = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
    let accept =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,\(type),application/json"
    let reply = try await api.send(.get, "/apis", accept: accept)
    #expect(reply.contentType == type)
    #expect(reply.json["apiVersion"]?.string == "apidiscovery.k8s.io/\(version)")
    let gadget = reply.json["items"]?.array?[0]["versions"]?.array?[0]["resources"]?.array?[0]
    #expect(gadget?["scope"] == "Namespaced" && gadget?["subresources"]?.array?.count == 1)
    let tag = try #require(reply.header("ETag").first)
    let again = try await api.send(.get, "/apis", accept: accept, ifNoneMatch: tag)
    #expect(again.code == 304 && again.bytes.isEmpty)
  }

  @Test func plainJSONFirstMeansLegacy() async throws {
    let accept = "application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    #expect(try await api.send(.get, "/apis", accept: accept).json["kind"] == "APIGroupList")
  }

  @Test(
    "What is not served is a Status",
    arguments: [("/apis/none.dev", 404), ("/apis/example.dev/v9", 404), ("/api/v2", 404)])
  func unknown(path: String, code: Int) async throws {
    let reply = try await api.send(.get, path)
    #expect(reply.code == code && reply.json["kind"] == "Status" && reply.json["reason"] == "NotFound")
  }

  @Test func theVersionIsSemantic() async throws {
    let reply = try await api.send(.get, "/version")
    #expect(reply.json["gitVersion"] == "v1.33.0+selvedge.0.1.0")
    #expect(try await api.send(.post, "/version").code == 405)
  }

  @Test(
    "Reviews allow everything to whoever gets here",
    arguments: [
      ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
      ("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
      ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    ])
  func reviews(group: String, plural: String, kind: String) async throws {
    let protobuf = ProtobufTests.envelope(kind, apiVersion: "\(group)/v1") { $0.message(1) { _ in } }
    let path = "/apis/\(group)/v1/\(plural)"
    for reply in [
      try await api.send(.post, path, json: ["spec": ["namespace": "default"]]),
      try await api.send(.post, path, contentType: "application/vnd.kubernetes.protobuf", protobuf),
    ] {
      #expect(reply.code == 201 && reply.json["kind"] == .string(kind) && reply.json["status"] != nil)
    }
    #expect(try await api.send(.get, path).code == 405)
  }
}
