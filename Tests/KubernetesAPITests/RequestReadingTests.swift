import Documents
import KubernetesAPI
import Resources
import Testing

@Suite("Reading request lines and headers")
struct RequestReadingTests {
  @Test(
    "A path names a document, a collection, an object or a subresource",
    arguments: [
      ("/version", "version"), ("/api", "coreVersions"), ("/apis/", "groups"), ("/apis/g.dev", "group(\"g.dev\")"),
      ("/api/v1", "resources(group: \"\", version: \"v1\")"),
      ("/apis/g.dev/v1", "resources(group: \"g.dev\", version: \"v1\")"),
      ("/openapi/v2", "openAPIv2"), ("/openapi/v3", "openAPIv3Index"),
      ("/openapi/v3/api/v1", "openAPIv3(group: \"\", version: \"v1\")"),
      ("/openapi/v3/apis/g.dev/v1", "openAPIv3(group: \"g.dev\", version: \"v1\")"),
    ])
  func documents(path: String, expected: String) {
    #expect(APIRoute(path: path).map { "\($0)" } == expected)
  }

  @Test(
    "A resource path splits into namespace, plural, name and subresource",
    arguments: [
      ("/api/v1/namespaces", "|-|namespaces|-|-"), ("/api/v1/namespaces/a", "|-|namespaces|a|-"),
      ("/api/v1/namespaces/a/status", "|-|namespaces|a|status"), ("/api/v1/namespaces/a/events", "|a|events|-|-"),
      ("/api/v1/namespaces/a/events/x", "|a|events|x|-"), ("/api/v1/events", "|-|events|-|-"),
      ("/apis/g.dev/v1/gadgets", "g.dev|-|gadgets|-|-"), ("/apis/g.dev/v1/gadgets/x", "g.dev|-|gadgets|x|-"),
      ("/apis/g.dev/v1/namespaces/n/gadgets/a%2Db/status", "g.dev|n|gadgets|a-b|status"),
    ])
  func resources(path: String, expected: String) throws {
    guard case .resource(let address)? = APIRoute(path: path) else {
      Issue.record("\(path) is no resource")
      return
    }
    let parts = [
      address.group, address.namespace ?? "-", address.plural, address.name ?? "-", address.subresource ?? "-",
    ]
    #expect(parts.joined(separator: "|") == expected)
  }

  @Test(
    "Other paths name nothing",
    arguments: [
      "/", "/metrics", "/openapi", "/openapi/v4", "/api/v1/a/b/c/d", "/apis/g/v1/namespaces/n/p/x/status/more",
      "/apis/g/v1/p/%zz", "/apis/g/v1/p/a%2Fb", "/version/x",
    ])
  func noSuchPath(path: String) { #expect(APIRoute(path: path) == nil) }

  @Test func aQueryIsDecodedAsFormsWriteIt() {
    let query = APIQuery("labelSelector=a+in+%28x%2Cy%29&watch=1&limit=&dryRun=All&dryRun=x&pretty=false&q")
    #expect(query["labelSelector"] == "a in (x,y)")
    #expect(query["limit"] == nil)
    #expect(query.all("dryRun") == ["All", "x"])
    #expect(query.flag("watch") && query.flag("q") && !query.flag("pretty") && !query.flag("absent"))
  }

  @Test(
    "The first acceptable shape of objects is chosen",
    arguments: [
      ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "table(version: \"v1\")"),
      ("application/json;as=Table;v=v9;g=meta.k8s.io, application/json", "object"),
      ("application/json; as=Table; g=meta.k8s.io; v=v1beta1", "table(version: \"v1beta1\")"),
      ("application/vnd.kubernetes.protobuf,application/json", "object"), ("", "object"),
      ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "object"),
      ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "metadata(version: \"v1\")"),
      ("application/json;q=0.5,application/json;as=Table;v=v1;g=meta.k8s.io", "table(version: \"v1\")"),
    ])
  func representation(accept: String, expected: String) throws {
    #expect(try "\(Representation(accept: accept))" == expected)
  }

  @Test func nothingAcceptableIs406() {
    #expect(throws: APIStatus.notAcceptable) { try Representation(accept: "application/vnd.kubernetes.protobuf") }
  }

  @Test(
    "List options that contradict each other are refused",
    arguments: [
      ("resourceVersionMatch=Exact", 422), ("resourceVersionMatch=Sometimes&resourceVersion=1", 422),
      ("resourceVersionMatch=Exact&resourceVersion=0", 422), ("sendInitialEvents=true", 422),
      ("watch=1&sendInitialEvents=true", 422), ("watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1", 422),
      ("continue=x&resourceVersion=7", 400), ("limit=-1", 400), ("limit=many", 400), ("resourceVersion=abc", 400),
      ("timeoutSeconds=soon", 400), ("fieldSelector=spec.size%3D1", 400), ("labelSelector=a%20b%20c", 400),
    ])
  func contradictions(query: String, code: Int) {
    let error = #expect(throws: APIStatus.self) {
      _ = try ListParameters(APIQuery(query), of: Fixtures.gadget, namespace: nil)
    }
    #expect(error?.code == code)
  }

  @Test func theFieldManagerIsTheUserAgentUpToItsSlash() throws {
    let call = APICall(method: .post, path: "/", userAgent: "kubectl/v1.32 (linux)")
    #expect(try WriteParameters.read(call, kind: "CreateOptions").fieldManager == "kubectl")
    #expect(throws: APIStatus.self) { try WriteParameters.read(call, kind: "PatchOptions", isApply: true) }
  }

  @Test(
    "Bad write options are refused",
    arguments: [
      "dryRun=Some", "fieldValidation=Maybe", "fieldManager=" + String(repeating: "x", count: 129), "fieldManager=a%07",
    ])
  func badWriteOptions(query: String) {
    let error = #expect(throws: APIStatus.self) {
      _ = try WriteParameters.read(APICall(method: .post, path: "/", query: APIQuery(query)), kind: "CreateOptions")
    }
    #expect(error?.code == 422)
  }
}
