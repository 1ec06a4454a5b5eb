import Documents
import KubernetesAPI
import Logging
import Resources
import Testing

extension RecordingBackend: SubresourceBackend {
  func get(_ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ query: [QueryItem])
    async throws(APIStatus) -> JSONValue
  {
    let object = try await get(resource, key)
    return [
      "kind": .string(subresource.kind), "of": object[path: "metadata", "name"] ?? .null,
      "query": .array(query.map { .string("\($0.name)=\($0.value)") }),
    ]
  }

  func create(
    _ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ object: JSONValue,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    _ = try await get(resource, key)
    return WriteResult(
      object: object.merging(["by": .string(options.fieldManager)]), isCreated: object["again"] == nil,
      warnings: ["mind the gap"])
  }
}

@Suite("Named subresources")
struct SubresourceTests {
  static let gadget: ResourceDefinition = {
    var gadget = Fixtures.gadget
    gadget.subresources = [
      NamedSubresource(name: "history", kind: "GadgetHistory", verbs: [.get], parameters: ["limit"]),
      NamedSubresource(
        name: "orders", kind: "GadgetOrder", verbs: [.create],
        schema: ["type": "object", "properties": ["size": ["type": "integer"]]]),
    ]
    return gadget
  }()
  static let path = "/apis/example.dev/v1/namespaces/n/gadgets"
  let backend = RecordingBackend([Self.gadget])
  var api: KubernetesAPI { Fixtures.api(backend) }

  init() { _ = backend.put(Self.gadget.name, ObjectKey(namespace: "n", name: "a")) }

  @Test func getIsAnsweredWithTheQuery() async throws {
    let reply = try await api.send(.get, Self.path + "/a/history?limit=3&since=2026-01-01T00%3A00%3A00Z")
    #expect(reply.code == 200)
    #expect(reply.json["query"] == ["limit=3", "since=2026-01-01T00:00:00Z"] && reply.json["of"] == "a")
  }

  @Test func createCarriesTheKindTheAuthorAndWarnings() async throws {
    let reply = try await api.send(.post, Self.path + "/a/orders", json: ["size": 3])
    #expect(reply.code == 201, "\(reply.text)")
    #expect(reply.header("Warning") == [#"299 - "mind the gap""#])
    #expect(reply.json["kind"] == "GadgetOrder" && reply.json["apiVersion"] == "example.dev/v1")
    #expect(reply.json["by"] == "tester" && reply.json["size"] == 3)
    #expect(try await api.send(.post, Self.path + "/a/orders", json: ["again": true]).code == 200)
    #expect(try await api.send(.post, Self.path + "/a/orders", json: ["kind": "Gadget"]).code == 400)
  }

  static let refused: [(APICall.Method, String, Int)] = [
    (.post, "/a/history", 405), (.get, "/a/orders", 405), (.patch, "/a/orders", 405), (.delete, "/a/history", 405),
    (.get, "/a/ghosts", 404), (.get, "/b/history", 404), (.post, "/b/orders", 404), (.get, "/a/history/more", 404),
  ]

  @Test(arguments: refused)
  func anythingElseIsRefused(method: APICall.Method, tail: String, code: Int) async throws {
    #expect(try await api.send(method, Self.path + tail, json: [:]).code == code)
  }

  @Test func discoveryAndOpenAPINameThem() async throws {
    let list = try await api.send(.get, "/apis/example.dev/v1").json
    let orders = list["resources"]?.array?.first { $0["name"] == "gadgets/orders" }
    #expect(orders?["kind"] == "GadgetOrder" && orders?["verbs"] == ["create"])
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    let groups = try await api.send(.get, "/apis", accept: accept).text
    #expect(
      groups.contains(#""subresource":"history""#)
        && groups.contains(#""responseKind":{"group":"example.dev","kind":"GadgetHistory""#))
    let document = try await api.send(.get, "/openapi/v3/apis/example.dev/v1").json
    let path = document["paths"]?["/apis/example.dev/v1/namespaces/{namespace}/gadgets/{name}/orders"]
    #expect(path?[path: "post", "x-kubernetes-group-version-kind", "kind"] == "GadgetOrder")
    #expect(
      document[path: "components", "schemas", "dev.example.v1.GadgetOrder", "properties", "size", "type"] == "integer")
  }
}
