import Documents
import KubernetesAPI
import Resources
import Testing

@Suite("OpenAPI")
struct OpenAPITests {
  let api = Fixtures.api(RecordingBackend())

  @Test func theIndexLeadsToDocumentsThatMayBeKept() async throws {
    let index = try await api.send(.get, "/openapi/v3").json["paths"]
    let url = try #require(index?[path: "apis/example.dev/v1", "serverRelativeURL"]?.string)
    #expect(url.hasPrefix("/openapi/v3/apis/example.dev/v1?hash="))
    let reply = try await api.send(.get, url)
    #expect(reply.code == 200)
    #expect(reply.header("Cache-Control").first?.contains("immutable") == true)
    let stale = try await api.send(.get, "/openapi/v3/apis/example.dev/v1?hash=0")
    #expect(stale.code == 301 && stale.header("Location") == [url])
    #expect(try await api.send(.get, "/openapi/v3/apis/example.dev/v2").code == 404)
  }

  @Test func aPatchSaysWhatKubectlLooksFor() async throws {
    let document = try await api.send(.get, "/openapi/v3/apis/example.dev/v1").json
    let patch = document[path: "paths", "/apis/example.dev/v1/namespaces/{namespace}/gadgets/{name}", "patch"]
    #expect(
      patch?["x-kubernetes-group-version-kind"] == ["group": "example.dev", "version": "v1", "kind": "Gadget"])
    let names = patch?["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
    #expect(Set(names).isSuperset(of: ["dryRun", "fieldManager", "fieldValidation", "force"]))
    let schema = document[path: "components", "schemas", "dev.example.v1.Gadget"]
    #expect(schema?[path: "properties", "metadata", "$ref"]?.string?.hasSuffix("ObjectMeta") == true)
    #expect(schema?[path: "properties", "spec", "properties", "size", "type"] == "integer")
    // A kind that cannot be created offers no POST.
    #expect(document[path: "paths", "/apis/example.dev/v1/stations", "post"] == nil)
    #expect(document[path: "paths", "/apis/example.dev/v1/stations", "get"] != nil)
  }

  @Test("Every reference leads somewhere", arguments: ["/openapi/v2", "/openapi/v3/apis/example.dev/v1"])
  func references(path: String) async throws {
    let document = try await api.send(.get, path).json
    func check(_ value: JSONValue) {
      if let reference = value["$ref"]?.string {
        var target: JSONValue? = document
        for key in reference.split(separator: "/").dropFirst() { target = target?[String(key)] }
        #expect(target != nil, "\(reference)")
      }
      for child in value.array ?? [] { check(child) }
      for child in (value.object ?? [:]).values { check(child) }
    }
    check(document)
    #expect(document["paths"]?.object?.isEmpty == false)
  }

  @Test func version2LeavesOpenWhatItCannotSay() {
    let spec = OpenAPIv2.reduced(Fixtures.gadget.schema)[path: "properties", "spec", "properties"]
    #expect(spec?["maybe"]?["type"] == nil && spec?["maybe"]?["default"] == nil)
    #expect(spec?["either"]?["anyOf"] == nil && spec?["either"]?["type"] == nil)
    #expect(spec?["free"] == ["type": "object", "x-kubernetes-preserve-unknown-fields": true])
    #expect(spec?["map"]?[path: "additionalProperties", "type"] == "number")
  }

  @Test func version2IsProtobufUnderTheNameWithTheDot() async throws {
    let asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    let reply = try await api.send(.get, "/openapi/v2", accept: asked)
    #expect(reply.contentType == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
    var reader = ProtobufReader(reply.bytes)
    var fields: [Int] = []
    while let (field, _) = try reader.next() { fields.append(field) }
    #expect(fields == [1, 2, 8, 9])
    #expect(try await api.send(.get, "/openapi/v2", accept: "*/*").json["swagger"] == "2.0")
    #expect(try await api.send(.get, "/openapi/v2", accept: "text/html").code == 406)
  }
}
