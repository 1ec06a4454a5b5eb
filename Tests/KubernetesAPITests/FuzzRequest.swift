import DeviceKit
import Documents

/// One random request, aimed at the API's routes.
struct FuzzRequest {
  var method: String
  var target: String
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var isWatch: Bool { target.contains("watch=1") || target.contains("watch=true") }

  private static let methods = ["GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "PATCH", "DELETE"]
  private static let collections = [
    "/apis/test.dev/v1/namespaces/default/widgets", "/apis/test.dev/v1/namespaces/default/widgets",
    "/apis/test.dev/v1/namespaces/n1/widgets", "/apis/test.dev/v1/widgets", "/apis/test.dev/v1/racks",
    "/apis/selvedge.dev/v1alpha1/namespaces/default/devices", "/api/v1/namespaces", "/api/v1/namespaces/default/events",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  ]
  private static let documents = [
    "/api", "/apis", "/api/v1", "/apis/test.dev", "/apis/test.dev/v1", "/openapi/v2", "/openapi/v3",
    "/openapi/v3/apis/test.dev/v1", "/version", "/apis/x", "/api/v9", "/openapi/v3/api/v1?hash=x",
  ]
  private static let accepts = [
    "application/json", "*/*", "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "text/html", "application/json;q=0", ";;;,=,",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", "application/vnd.kubernetes.protobuf",
  ]
  private static let selectors = [
    "a=b", "a!=b", "a in (x,y)", "!a", "a notin ()", "line", "a in (", "((((", "a==b=c", ",,,", "\u{0}=1", "a in (x),b",
    "metadata.name=w1", "metadata.name!=w1", "spec.colour=red", "spec.size=1", "metadata.name=a\\",
    "involvedObject.uid=1",
  ]
  private static let tokens = [
    "", "x", "7b7d", "7b2276223a317d", "+f",
    "7b2276223a392c2272223a22776964676574732e746573742e646576222c226e223a22222c226b223a2261227d",
    "7b2276223a2d312c2272223a22776964676574732e746573742e646576222c226e223a22222c226b223a22227d", "é",
  ]
  private static let numbers = [
    "", "0", "1", "5", "-1", "500", "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e3", "x",
    "0x1", "+1",
    "99999999999999999999999",
  ]

  init(_ random: inout SplitMix64, newestVersion: UInt64) {
    method = random.once(in: 40) ? random.pick(["HEAD", "OPTIONS", "TRACE", "PROPFIND"]) : random.pick(Self.methods)
    if random.once(in: 12) {
      target = random.pick(Self.documents)
    } else {
      target = random.pick(Self.collections)
      if random.upTo(2) > 0 || method == "PUT" || method == "PATCH" {
        target +=
          "/"
          + (random.once(in: 12)
            ? Self.escaped(FuzzDocuments.word(&random)) : random.pick(["w1", "w2", "d1", "n1", "e1"]))
      }
      if random.once(in: 8) {
        target += random.pick(["/status", "/scale", "/finalize", "/status/more", "/", "//", "/%2e%2e", "/%zz"])
      }
    }
    // A watch leaves its connection behind; few are enough.
    target += Self.query(&random, newestVersion, mayWatch: method == "GET" && random.once(in: 10), for: method, target)
    headers.append(("Accept", random.once(in: 12) ? random.pick(Self.accepts) : "application/json"))
    if random.once(in: 10) {
      headers.append(("User-Agent", random.pick(["a/1", "", "é/1", String(repeating: "u", count: 400), "///"])))
    }
    if random.once(in: 30) { headers.append(("If-None-Match", "\"x\"")) }
    if method != "GET", method != "HEAD" { setBody(&random) }
  }

  private static func escaped(_ text: String) -> String {
    text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func query(
    _ random: inout SplitMix64, _ newest: UInt64, mayWatch: Bool, for method: String, _ target: String
  ) -> String {
    var items: [(String, String)] = []
    if mayWatch { items += [("watch", random.pick(["1", "true"])), ("timeoutSeconds", "1")] }
    if method == "PATCH" || random.once(in: 10) {
      items.append(("fieldManager", random.pick(["one", "two", "three"])))
    }
    for _ in 0..<(random.once(in: 2) ? 0 : random.upTo(4)) {
      switch random.upTo(12) {
      case 0: items.append(("labelSelector", random.pick(selectors)))
      case 1: items.append(("fieldSelector", random.pick(selectors)))
      case 2: items.append(("limit", random.pick(numbers)))
      case 3: items.append(("continue", random.pick(tokens)))
      case 4:
        // Rarely from the future: that waits for seconds.
        let version = random.once(in: 60) ? random.pick(numbers) : String(UInt64(random.upTo(Int(newest))))
        items.append(("resourceVersion", version))
      case 5: items.append(("resourceVersionMatch", random.pick(["Exact", "NotOlderThan", "x", ""])))
      case 6: items.append(("sendInitialEvents", random.pick(["true", "false", "x", ""])))
      case 7: items.append(("dryRun", random.pick(["All", "", "Some"])))
      case 8: items.append(("fieldValidation", random.pick(["Ignore", "Warn", "Strict", "x"])))
      case 9: items.append(("force", random.pick(["true", "false", "1", "x"])))
      case 10: items.append(("propagationPolicy", random.pick(["Background", "Foreground", "Orphan", "x"])))
      case 11: items.append(("fieldManager", FuzzDocuments.word(&random)))
      default: items.append((FuzzDocuments.word(&random), FuzzDocuments.word(&random)))
      }
    }
    guard !items.isEmpty else { return random.once(in: 50) ? "?%zz=%&&=&?" : "" }
    return (target.contains("?") ? "&" : "?")
      + items.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
      .replacingWatch
  }

  private mutating func setBody(_ random: inout SplitMix64) {
    let document = FuzzDocuments.damaged(random.pick(FuzzDocuments.samples), &random, rate: random.pick([6, 15, 60]))
    var type = "application/json"
    body = FuzzDocuments.text(of: document, &random)
    switch method {
    case "PATCH":
      switch random.upTo(9) {
      case 0...2: type = "application/merge-patch+json"
      case 3...5:
        type = "application/json-patch+json"
        body = FuzzDocuments.text(of: FuzzDocuments.jsonPatch(&random), &random)
      case 6...8: type = "application/apply-patch+yaml"
      default: type = random.pick(["application/strategic-merge-patch+json", "application/json", "text/plain", ";"])
      }
      if type == "application/apply-patch+yaml", random.once(in: 3) { body = FuzzDocuments.yaml(&random) }
    case "DELETE": if random.once(in: 2) { body = [] }
    default:
      switch random.upTo(11) {
      case 0:
        type = "application/yaml"
        body = FuzzDocuments.yaml(&random)
      case 1:
        type = "application/vnd.kubernetes.protobuf"
        body = FuzzDocuments.protobuf(&random)
      case 2: type = random.pick(["", "text/csv", "application/json; charset=\"utf-8\"", "APPLICATION/JSON", ";;"])
      default: break
      }
    }
    headers.append(("Content-Type", type))
  }

  /// As it goes over the wire.
  var bytes: [UInt8] {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    for header in headers { text += "\(header.name): \(header.value)\r\n" }
    if !body.isEmpty || !["GET", "HEAD"].contains(method) { text += "Content-Length: \(body.count)\r\n" }
    return Array((text + "\r\n").utf8) + body
  }

  var description: String {
    "\(method) \(target) \(headers.map { "\($0.name): \($0.value)" })\n\(String(decoding: body.prefix(2_000), as: UTF8.self))"
  }
}

extension String {
  /// The names and values that say how the request is to be read, unescaped again.
  fileprivate var replacingWatch: String {
    split(separator: "&", omittingEmptySubsequences: false).map { item in
      item.hasPrefix("%77%61%74%63%68=") ? "watch=" + (item.hasSuffix("=%31") ? "1" : "true") : String(item)
    }.joined(separator: "&")
  }
}
