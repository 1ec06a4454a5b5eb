import HTTPTypes
import KubernetesAPI
import Resources
import Testing

@Suite("Which requests may reach the API")
struct LocalRequestGuardTests {
  static func refusal(
    _ host: String?, method: HTTPRequest.Method = .get, _ fields: [String: String] = [:],
    guardedBy requestGuard: LocalRequestGuard = LocalRequestGuard(names: ["gw-1.plant"], port: 7070)
  ) -> Int? {
    var head = HTTPRequest(method: method, scheme: "http", authority: host, path: "/apis")
    for (name, value) in fields { head.headerFields[HTTPField.Name(name)!] = value }
    return requestGuard.refusal(of: head)?.code
  }

  @Test(
    "Host must name the gateway",
    arguments: [
      ("127.0.0.1:7070", nil), ("127.1.2.3:7070", nil), ("localhost:7070", nil), ("LOCALHOST.:7070", nil),
      ("a.localhost:7070", nil), ("[::1]:7070", nil), ("GW-1.plant:7070", nil), ("127.0.0.1", nil),
      ("evil.example:7070", 403), ("127.0.0.1:80", 403), ("127.0.0.1.evil.example:7070", 403),
      ("localhost.evil.example:7070", 403), ("0.0.0.0:7070", 403), ("192.168.1.5:7070", 403),
      ("user@localhost:7070", 400), ("localhost:port", 400), ("", 400), (nil, 400),
    ] as [(String?, Int?)])
  func host(host: String?, code: Int?) { #expect(Self.refusal(host) == code) }

  @Test(
    "Origin must be absent or the gateway's own",
    arguments: [
      ("http://localhost:7070", nil), ("https://localhost:7070", nil), ("http://evil.example", 403), ("null", 403),
      ("http://localhost:8080", 403), ("http://localhost", 403),
    ] as [(String, Int?)])
  func origin(origin: String, code: Int?) { #expect(Self.refusal("localhost:7070", ["Origin": origin]) == code) }

  @Test func anotherSiteMayOnlyLinkHere() {
    #expect(Self.refusal("localhost:7070", ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"]) == 403)
    #expect(Self.refusal("localhost:7070", ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"]) == nil)
    #expect(Self.refusal("localhost:7070", ["Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"]) == nil)
  }

  @Test(
    "A body must be of a type that no form can send",
    arguments: [
      ("application/json", nil), ("application/merge-patch+json; charset=utf-8", nil),
      ("application/apply-patch+yaml", nil), ("application/yaml", nil), ("application/vnd.kubernetes.protobuf", nil),
      ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("multipart/form-data", 415), ("", nil),
      ("text/plain; application/json", 415),
    ] as [(String, Int?)])
  func contentType(type: String, code: Int?) {
    for method in [HTTPRequest.Method.post, .put, .patch] {
      #expect(Self.refusal("localhost:7070", method: method, type.isEmpty ? [:] : ["Content-Type": type]) == code)
    }
    #expect(Self.refusal("localhost:7070", method: .delete) == nil)
  }

  @Test("A browser may not leave the type out", arguments: ["Origin", "Sec-Fetch-Site", "User-Agent", "Referer"])
  func browserWithoutType(mark: String) {
    let value = ["Origin": "http://localhost:7070", "Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 (X11)"]
    #expect(Self.refusal("localhost:7070", method: .post, [mark: value[mark] ?? "http://localhost:7070/"]) == 415)
  }
}
