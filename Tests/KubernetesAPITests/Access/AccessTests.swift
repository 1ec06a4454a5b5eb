import Documents
import KubernetesAPI
import Logging
import Resources
import Synchronization
import Testing

/// Keeps what is put on record.
private final class Recorder: Sendable {
  private let entries = Mutex<[JSONValue]>([])
  var lines: [JSONValue] { entries.withLock { $0 } }
  func take(_ entry: AuditEntry) { entries.withLock { $0.append(entry.json) } }
}

private let gadgets = "/apis/example.dev/v1/namespaces/n/gadgets"

@Suite("Rights and records of calls")
struct AccessTests {
  private static let viewer = UserInfo(name: "vera", groups: ["readers", "system:authenticated"])

  private let recorder = Recorder()
  private let backend = RecordingBackend()

  private func api() throws -> KubernetesAPI {
    let policy = try AccessPolicy(manifests: [
      [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "patching"],
        "rules": [
          ["apiGroups": ["example.dev"], "resources": ["gadgets"], "verbs": ["get", "list", "patch", "update"]]
        ],
      ],
      [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": ["name": "patching"],
        "roleRef": ["kind": "ClusterRole", "name": "patching"], "subjects": [["kind": "Group", "name": "readers"]],
      ],
    ])
    return KubernetesAPI(
      backends: [backend], now: { Fixtures.noon }, version: "0.1.0", logger: Logger(label: "test"),
      access: AccessControl(policy: { policy }, audit: recorder.take))
  }

  private func send(
    _ method: APICall.Method, _ target: String, as user: UserInfo, contentType: String = "application/json",
    _ body: JSONValue? = nil
  ) async throws -> (code: Int, json: JSONValue) {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let reply = try await api().reply(
      to: APICall(
        method: method, path: parts[0], query: APIQuery(parts.count > 1 ? parts[1] : ""), contentType: contentType,
        body: body?.serialised() ?? [], user: user, source: "192.0.2.7:5000"))
    guard case .bytes(let bytes) = reply.body else { return (reply.code, .null) }
    return (reply.code, (try? JSONValue(parsing: bytes)) ?? .null)
  }

  @Test(
    "A refusal is in Kubernetes' words",
    arguments: [
      (
        APICall.Method.delete, gadgets + "/a",
        #"gadgets.example.dev "a" is forbidden: User "vera" cannot delete resource "gadgets" in API group "example.dev" in the namespace "n""#
      ),
      (
        .get, gadgets + "?watch=1",
        #"gadgets.example.dev is forbidden: User "vera" cannot watch resource "gadgets" in API group "example.dev" in the namespace "n""#
      ),
      (
        .get, "/apis/example.dev/v1/stations",
        #"stations.example.dev is forbidden: User "vera" cannot list resource "stations" in API group "example.dev" at the cluster scope"#
      ),
      (
        .get, "/api/v1/namespaces/n/secrets/s",
        #"secrets "s" is forbidden: User "vera" cannot get resource "secrets" in API group "" in the namespace "n""#
      ),
      (
        .patch, gadgets + "/a/status",
        #"gadgets.example.dev "a" is forbidden: User "vera" cannot patch resource "gadgets/status" in API group "example.dev" in the namespace "n""#
      ),
    ])
  func forbidden(method: APICall.Method, target: String, message: String) async throws {
    let reply = try await send(method, target, as: Self.viewer, [:])
    #expect(reply.code == 403 && reply.json["reason"] == "Forbidden" && reply.json["message"] == .string(message))
    #expect(backend.calls.isEmpty)
  }

  @Test func aStrangerIsUnauthorizedAndAMasterMayDoEverything() async throws {
    #expect(try await send(.get, gadgets, as: .anonymous).code == 401)
    #expect(try await send(.get, "/apis", as: .anonymous).code == 401)
    #expect(try await send(.get, "/version", as: .anonymous).code == 200)
    #expect(try await send(.get, "/apis", as: Self.viewer).code == 200)
    #expect(try await send(.delete, gadgets + "/none", as: .local).code == 404)
  }

  @Test func applyingDoesNotCreateForOneWhoMayOnlyPatch() async throws {
    let object: JSONValue = [
      "apiVersion": "example.dev/v1", "kind": "Gadget", "metadata": ["name": "new"], "spec": ["size": 1],
    ]
    let target = gadgets + "/new?fieldManager=test"
    let refused = try await send(
      .patch, target, as: Self.viewer, contentType: "application/apply-patch+yaml", object)
    #expect(refused.code == 403 && refused.json["message"]?.string?.contains("cannot create") == true)
    #expect(try await send(.put, gadgets + "/new", as: Self.viewer, object).code == 403)
  }

  @Test func reviewsTellTheTruth() async throws {
    func access(_ user: UserInfo, _ verb: String, _ resource: String) async throws -> Bool? {
      let review: JSONValue = [
        "spec": [
          "resourceAttributes": [
            "verb": .string(verb), "resource": .string(resource), "group": "example.dev", "namespace": "n",
          ]
        ]
      ]
      return try await send(
        .post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", as: user, review
      ).json[path: "status", "allowed"]?.bool
    }
    #expect(try await access(Self.viewer, "patch", "gadgets") == true)
    #expect(try await access(Self.viewer, "delete", "gadgets") == false)
    #expect(try await access(Self.viewer, "*", "*") == false)
    #expect(try await access(.local, "*", "*") == true)
    let rules = try await send(
      .post, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", as: Self.viewer, ["spec": ["namespace": "n"]]
    ).json["status"]
    #expect(rules?["resourceRules"]?.array?.contains { $0["resources"] == ["gadgets"] } == true)
    #expect(rules?["nonResourceRules"]?.array?.isEmpty == false)
    let me = try await send(.post, "/apis/authentication.k8s.io/v1/selfsubjectreviews", as: Self.viewer, [:])
    #expect(me.json[path: "status", "userInfo", "username"] == "vera")
    #expect(recorder.lines.isEmpty, "a review is no write")
  }

  @Test func aWriteGoesOnRecordWithItsMakerAndWhatItChanged() async throws {
    _ = backend.put(
      Fixtures.gadget.name, ObjectKey(namespace: "n", name: "a"), ["spec": ["size": 1, "maybe": "x"]])
    let object: JSONValue = [
      "apiVersion": "example.dev/v1", "kind": "Gadget", "metadata": ["name": "a"], "spec": ["size": 2, "maybe": "x"],
    ]
    #expect(try await send(.put, gadgets + "/a", as: Self.viewer, object).code == 200)
    let line = try #require(recorder.lines.last)
    #expect(line["user"] == "vera" && line["source"] == "192.0.2.7:5000" && line["verb"] == "update")
    #expect(line["group"] == "example.dev" && line["resource"] == "gadgets" && line["namespace"] == "n")
    #expect(line["name"] == "a" && line["code"] == 200 && line["dryRun"] == false)
    #expect(line["changes"] == [["path": "spec.size", "from": 1, "to": 2]], "\(line)")

    #expect(try await send(.delete, gadgets + "/a", as: Self.viewer).code == 403)
    #expect(recorder.lines.last?["code"] == 403 && recorder.lines.last?["reason"] == "Forbidden")
    #expect(try await send(.post, gadgets, as: .anonymous, [:]).code == 401)
    #expect(recorder.lines.last?["code"] == 401 && recorder.lines.last?["user"] == "system:anonymous")
    let count = recorder.lines.count
    #expect(try await send(.get, gadgets + "/a", as: Self.viewer).code == 200)
    #expect(recorder.lines.count == count, "reading is no write")
  }
}

@Suite("What a write changed")
struct FieldChangesTests {
  @Test func fieldsAreNamedWithOldAndNew() {
    let before: JSONValue = [
      "metadata": ["resourceVersion": "1", "labels": ["a": "1"]], "spec": ["list": [1, 2], "gone": true, "same": "x"],
      "status": ["a": 1],
    ]
    let after: JSONValue = [
      "metadata": ["resourceVersion": "2", "labels": ["a": "1", "x.y/z": "2"]],
      "spec": ["list": [1, 3], "new": ["deep": 5], "same": "x"], "status": ["a": 2],
    ]
    let changes = FieldChanges(from: before, to: after)
    #expect(
      changes.list == [
        FieldChange(path: "metadata.labels[\"x.y/z\"]", from: nil, to: "2"),
        FieldChange(path: "spec.gone", from: true, to: nil), FieldChange(path: "spec.list[1]", from: 2, to: 3),
        FieldChange(path: "spec.new.deep", from: nil, to: 5),
      ])
    #expect(FieldChanges(from: before, to: after, includesStatus: true).list.last?.path == "status.a")
    #expect(FieldChanges(from: before, to: before).list.isEmpty)
  }

  @Test func aSecretsValuesAreKeptBack() {
    let copy = "kubectl.kubernetes.io/last-applied-configuration"
    let changes = FieldChanges(
      from: ["data": ["password": "b2xk"]],
      to: [
        "data": ["password": "bmV3"], "stringData": ["pin": "1234"],
        "metadata": ["annotations": .object([copy: "{\"data\":\"bmV3\"}"])],
      ], isSecret: true)
    #expect(changes.list.map(\.path) == ["data.password", "stringData.pin"])
    #expect(changes.list.allSatisfy { $0.to == "redacted" && $0.from != "b2xk" })
  }

  @Test func theListIsBoundedAndSoAreItsValues() {
    var spec: JSONValue = [:]
    for index in 0..<50 { spec["f\(index)"] = .string(String(repeating: "é", count: 5_000)) }
    let changes = FieldChanges(from: nil, to: ["spec": spec])
    #expect(changes.list.count == 32 && changes.omitted == 18)
    #expect(changes.list.allSatisfy { ($0.to?.string?.utf8.count ?? 0) < 300 })
  }
}
