import Documents
import Foundation
import Glibc
import TestSupport
import Testing

/// Who reaches a gateway with TLS and credentials, and what they may do there.
@Suite struct AccessTests {
  private let device = """
    apiVersion: selvedge.dev/v1alpha1
    kind: Device
    metadata: {name: d}
    spec: {modelRef: {name: m}}
    """

  /// Debian's kubectl 1.20 is unpacked first where it is not there yet.
  private static func program(_ release: String) async throws -> String {
    if release == "current" { return "/usr/bin/kubectl" }
    let setup = try await run(["sh", packageRoot + "/scripts/setup-kubectl-1.20.sh"], within: .seconds(120))
    if setup.status != 0 { try Test.cancel("no kubectl 1.20 here: \(setup)") }
    return setup.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test(.timeLimit(.minutes(10)), arguments: ["current", "1.20"])
  func kubectlShowsATokenOrACertificate(release: String) async throws {
    let kubectl = try await Self.program(release)
    try await GuardedGateway.with { guarded in
      let tokens = guarded.files("tokens.csv")
      let vera = try await guarded.kubeconfig("vera", ["--user", "vera", "--token-file", tokens])
      let alice = try await guarded.kubeconfig(
        "alice",
        ["--user", "alice", "--client-cert", guarded.files("alice.pem"), "--client-key", guarded.files("alice.key")])
      let made = try await guarded.kubectl(kubectl, alice, "apply", "--validate=false", "-f", "-", input: device)
      #expect(made.output.contains("device.selvedge.dev/d created"), "\(made)")
      #expect(try await guarded.kubectl(kubectl, vera, "get", "devices", "-o", "name").output.contains("/d"))
      let refused = try await guarded.kubectl(kubectl, vera, "delete", "device", "d")
      #expect(
        refused.errors.contains(
          #"devices.selvedge.dev "d" is forbidden: User "vera" cannot delete resource "devices" in API group "selvedge.dev" in the namespace "default""#
        ), "\(refused)")
      for (user, verb, resource, answer) in [
        (vera, "get", "devices", "yes"), (vera, "patch", "devices", "no"), (alice, "patch", "devices", "yes"),
        (alice, "delete", "devicemodels", "no"), (alice, "get", "secrets", "no"), (vera, "get", "/metrics", "yes"),
      ] {
        let asked = try await guarded.kubectl(kubectl, user, "auth", "can-i", verb, resource)
        #expect(asked.output.split(separator: "\n").first?.hasPrefix(answer) == true, "\(verb) \(resource): \(asked)")
      }
      if release == "current" {
        let who = try await guarded.kubectl(kubectl, alice, "auth", "whoami")
        #expect(who.output.contains("alice") && who.output.contains("selvedge:operators"), "\(who)")
      }
      let nobody = try await guarded.kubeconfig("nobody", [])
      #expect(try await guarded.kubectl(kubectl, nobody, "get", "devices").status != 0)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aStrangerSeesOnlyThatItLives() async throws {
    let cases: [(path: String, stranger: Int, viewer: Int)] = [
      ("/livez", 200, 200), ("/readyz", 200, 200), ("/version", 200, 200), ("/metrics", 401, 200), ("/", 401, 200),
      ("/apis", 401, 200), ("/apis/selvedge.dev/v1alpha1/devices", 401, 200), ("/api/v1/secrets", 401, 403),
    ]
    try await GuardedGateway.with { guarded in
      for (path, stranger, viewer) in cases {
        let codes = [
          try await guarded.curl(path).code, try await guarded.curl(path, token: GuardedGateway.viewer).code,
          try await guarded.curl(path, token: "wrong").code,
        ]
        #expect(codes == [stranger, viewer, 401], "\(path)")
      }
      // Any name of the host will do; a page of another site will not, whatever certificate its browser has.
      for (field, code) in [
        "Host: gw-1.plant": 200, "Origin: https://evil.example": 403, "Impersonate-User: anna": 403,
      ] {
        let answer = try await guarded.curl("/apis", token: GuardedGateway.viewer, ["-H", field])
        #expect(answer.code == code, "\(field)")
      }
      let unverified = try await run(["curl", "-s", "-m", "5", guarded.gateway.server + "/livez"])
      #expect(unverified.status == 60)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func filesAreReadAgainWhenTheyChange() async throws {
    try await GuardedGateway.with { guarded in
      let token = "fresh-token-0123456789"
      try guarded.write(GuardedGateway.tokens + "\(token),fred,3,\"selvedge:viewers\"\n", to: "tokens.csv")
      try await eventually("the new token counts", seen: { guarded.gateway.log }) {
        try await guarded.curl("/apis", token: token).code == 200
      }
      try guarded.write("broken", to: "tokens.csv")
      try await eventually("the broken file is told", seen: { guarded.gateway.log }) {
        _ = try await guarded.curl("/apis", token: token)
        return guarded.gateway.log.contains("not read again")
      }
      #expect(try await guarded.curl("/apis", token: token).code == 200, "what was read before holds")
      try guarded.write(GuardedGateway.tokens, to: "tokens.csv")
      try await eventually("the token is taken back", seen: { guarded.gateway.log }) {
        try await guarded.curl("/apis", token: token).code == 401
      }

      // Another authority's certificate takes over; the clients of the first one are told apart by it.
      let others = try ScratchFolder()
      let other = try await TestAuthority(in: others)
      try await other.issueServer("server")
      for name in ["server.pem", "server.key"] {
        try guarded.write(try String(contentsOfFile: others(name), encoding: .utf8), to: name)
      }
      try await eventually("the new certificate is shown", seen: { guarded.gateway.log }) {
        try await run(["curl", "-s", "-m", "5", "--cacert", other.certificate, guarded.gateway.server + "/livez"])
          .output == "ok"
      }
      #expect(!guarded.gateway.log.contains(token) && !guarded.gateway.log.contains(GuardedGateway.admin))
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func theOwnCommandsTakeATokenOrACertificate() async throws {
    try await GuardedGateway.with { guarded in
      let binary = try selvedgeBinary()
      let place = ["SELVEDGE_SERVER": guarded.gateway.server, "SELVEDGE_CA": guarded.authority.certificate]
      let applied = try await run(
        [binary, "apply", "-f", "-", "--token", GuardedGateway.admin], input: device, environment: place)
      #expect(applied.output == "device/d created\n", "\(applied)")
      let listed = try await run(
        [
          binary, "get", "devices", "--client-cert", guarded.files("alice.pem"), "--client-key",
          guarded.files("alice.key"),
        ],
        environment: place)
      #expect(listed.output.contains("\nd "), "\(listed)")
      let refused = try await run(
        [binary, "apply", "-f", "-"], input: device,
        environment: place.merging(["SELVEDGE_TOKEN": GuardedGateway.viewer]) { $1 })
      #expect(refused.status == 1 && refused.errors.contains("User \"vera\" cannot patch"), "\(refused)")
      let untrusted = try await run([binary, "get", "devices", "--server", guarded.gateway.server])
      #expect(untrusted.status == 1 && untrusted.errors.contains("--ca"), "\(untrusted)")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func everyWriteStandsInTheAuditLogWithItsMaker() async throws {
    let boiler = try await BoilerServer()
    try await GuardedGateway.with(manifests: ["boiler.yaml": BoilerServer.model + "\n---\n" + boiler.device()]) {
      guarded in
      let path = "/apis/twin.selvedge.dev/v1alpha1/namespaces/default/twins/boiler-1"
      let patch = ["-X", "PATCH", "-H", "Content-Type: application/merge-patch+json", "-d"]
      let wish = patch + [#"{"spec":{"desired":{"setpoint":60}}}"#]
      try await eventually("the twin takes the wish", seen: { guarded.gateway.log }) {
        try await guarded.curl(path, token: GuardedGateway.admin, wish).code == 200
      }
      try await eventually("the write reached the boiler") { try await boiler.holding(40) == 600 }
      #expect(try await guarded.curl(path, token: GuardedGateway.viewer, wish).code == 403)
      let bad = patch + [#"{"spec":{"desired":{"setpoint":900}}}"#]
      #expect(try await guarded.curl(path, token: GuardedGateway.admin, bad).code == 422)
      #expect(try await guarded.curl(path, wish).code == 401)
      func lines() -> [JSONValue] {
        guarded.audit.split(separator: "\n").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
      }
      try await eventually("all four are written", seen: { guarded.audit }) {
        Set(lines().compactMap { $0["code"]?.int }).isSuperset(of: [200, 401, 403, 422])
      }
      let done = try #require(lines().first { $0["code"] == 200 })
      #expect(done["user"] == "anna" && done["resource"] == "twins" && done["verb"] == "patch", "\(done)")
      #expect(done["changes"] == [["path": "spec.desired.setpoint", "to": 60]], "\(done)")
      let write = try #require(lines().first { $0["kind"] == "deviceWrite" })
      #expect(write["name"] == "boiler-1" && write["property"] == "setpoint" && write["to"] == 60, "\(write)")
      #expect(write["by"] == "local/anna" && write["from"]?.number == 20, "\(write)")
      let mode = try FileManager.default.attributesOfItem(atPath: guarded.gateway.dataDirectory + "/audit/audit.log")
      #expect(mode[.posixPermissions] as? Int == 0o600)
      #expect(!guarded.audit.contains(GuardedGateway.admin) && !guarded.gateway.log.contains(GuardedGateway.admin))
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func rolesOfAFileHold() async throws {
    let rules = try ScratchFolder()
    let path = try rules.write(
      """
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: {name: vera}
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operator}
      subjects: [{kind: User, name: vera}]
      """, to: "access.yaml")
    chmod(path, 0o600)
    try await GuardedGateway.with(flags: ["--access", path]) { guarded in
      let device = #"{"apiVersion":"selvedge.dev/v1alpha1","kind":"Device","metadata":{"name":"d"},"spec":{}}"#
      let create = ["-H", "Content-Type: application/json", "-d", device]
      let answer = try await guarded.curl(
        "/apis/selvedge.dev/v1alpha1/namespaces/default/devices", token: GuardedGateway.viewer, create)
      #expect(answer.code == 201, "\(answer)")
    }
  }
}
