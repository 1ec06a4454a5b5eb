import Documents
import Foundation
import Glibc
import KubernetesAPI
import ResourceConformance
import ResourceStore
import Resources
import TestSupport
import YAML

/// A cluster with the project's kinds and roles as they are shipped, and the real gateway in it.
struct PlantCluster: Sendable {
  static let namespace = "plant"
  static let devices = ResourceName(group: "selvedge.dev", plural: "devices")
  let cluster: TestCluster

  static func with(_ body: (PlantCluster) async throws -> Void) async throws {
    let policy = try AccessPolicy(manifests: roles() + twinsRoles())
    try await TestCluster.with(crds: crds(), policy: policy) { cluster in
      let plant = PlantCluster(cluster: cluster)
      try await plant.apply("{apiVersion: v1, kind: Namespace, metadata: {name: plant}}")
      try await plant.apply("{apiVersion: v1, kind: Namespace, metadata: {name: selvedge}}")
      try await body(plant)
    }
  }

  private static func manifests(_ path: String) throws -> [JSONValue] {
    let bytes = try Data(contentsOf: URL(filePath: packageRoot + "/Deploy/" + path))
    return try YAMLDocument.all(in: Array(bytes)).filter { !$0.isNull }
  }

  private static func crds() throws -> [JSONValue] {
    let folder = packageRoot + "/Deploy/crds"
    return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }.sorted()
      .flatMap { try manifests("crds/\($0)") }
  }

  /// The roles as they are shipped, given to a user instead of a service account.
  static func roles() throws -> [JSONValue] {
    let files = ["rbac/gateway.yaml", "rbac/leases.yaml", "parts/secrets/secrets.yaml"]
    return try files.flatMap { try manifests("kustomize/\($0)") }.map { document in
      var document = document
      if document["subjects"] != nil { document["subjects"] = [["kind": "User", "name": .string(TestCluster.user)]] }
      return document
    }
  }

  /// Those of the server of the cluster's twins, and the role that every cluster has for such servers.
  static func twinsRoles() throws -> [JSONValue] {
    let stock: JSONValue = [
      "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
      "metadata": ["name": "extension-apiserver-authentication-reader", "namespace": "kube-system"],
      "rules": [
        [
          "apiGroups": [""], "resources": ["configmaps"],
          "resourceNames": ["extension-apiserver-authentication"], "verbs": ["get", "list", "watch"],
        ]
      ],
    ]
    return try [stock]
      + manifests("kustomize/parts/twins-server/rbac.yaml").filter { $0["kind"] != "ServiceAccount" }.map { document in
        var document = document
        if document["subjects"] != nil {
          document["subjects"] = [["kind": "User", "name": .string(TestCluster.twinsUser)]]
        }
        return document
      }
  }

  func apply(_ text: String) async throws {
    for document in try YAMLDocument.all(in: Array(text.utf8)) {
      guard
        let kind = cluster.store.definitions.first(where: {
          $0.kind == document["kind"]?.string && $0.apiVersion == document["apiVersion"]?.string
        })
      else { throw Trouble("no such kind: \(document)") }
      _ = try await cluster.store.create(
        kind.name,
        namespace: kind.isNamespaced
          ? document.metadata.namespace.isEmpty ? Self.namespace : document.metadata.namespace : "",
        document,
        WriteOptions(fieldManager: "kubectl", fieldValidation: .strict))
    }
  }

  func object(_ plural: String, _ name: String) async throws -> JSONValue? {
    guard let kind = cluster.store.definitions.first(where: { $0.plural == plural }) else {
      throw Trouble("no such kind: \(plural)")
    }
    do throws(APIStatus) {
      return try await cluster.store.get(
        kind.name, ObjectKey(namespace: kind.isNamespaced ? Self.namespace : "", name: name))
    } catch {
      guard error.code == 404 else { throw error }
      return nil
    }
  }

  /// Changes what a Device's spec desires.
  func desire(_ device: String, _ desired: JSONValue) async throws {
    _ = try await cluster.store.patch(
      Self.devices, ObjectKey(namespace: Self.namespace, name: device), .merge(["spec": ["desired": desired]]),
      subresource: nil, WriteOptions())
  }

  /// How often an event has said that this setpoint is confirmed.
  func told(_ setpoint: Int64) async throws -> Int {
    try await cluster.store.list(BuiltInKinds.events.name, ListOptions()).items.filter {
      $0["reason"] == "DesiredConfirmed" && $0["message"]?.string?.hasPrefix("setpoint=\(setpoint) ") == true
    }.reduce(0) { $0 + ($1["count"]?.int ?? 1) }
  }

  /// Desires a setpoint of `boiler-1`, and waits until an event says that it is confirmed.
  func confirm(_ setpoint: Int64) async throws {
    let before = try await told(setpoint)
    try await desire("boiler-1", ["setpoint": .integer(setpoint)])
    try await eventually("\(setpoint) is confirmed", seen: { "\(try await object("devices", "boiler-1") ?? [:])" }) {
      try await told(setpoint) > before
    }
  }
}

/// The real gateway, as a process beside the test, in a cluster.
struct ClusterGateway {
  let process: ChildProcess
  let port: Int

  /// Starts it; ready once it listens.
  init(_ cluster: TestCluster, name: String = "gw-1", flags: [String] = []) async throws {
    let kubeconfig = try cluster.folder.write(
      """
      apiVersion: v1
      kind: Config
      current-context: cluster
      contexts: [{name: cluster, context: {cluster: c, user: u, namespace: selvedge}}]
      clusters: [{name: c, cluster: {server: '\(cluster.url)', certificate-authority: \(cluster.authorityFile)}}]
      users: [{name: u, user: {tokenFile: token}}]
      """, to: "kubeconfig")
    let process = try ChildProcess(
      [
        try selvedgeBinary(), "run", "--kubeconfig", kubeconfig, "--data-dir",
        cluster.folder(name == "gw-1" ? "data" : "data-\(name)"), "--listen", "127.0.0.1:0", "--node-name", name,
      ] + flags, in: cluster.folder)
    self.process = process
    port = try await eventually("the gateway listens", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("the gateway has ended:\n\(process.errors)") }
      return process.errors.firstMatch(of: /listening address=127\.0\.0\.1:([1-9][0-9]*)\n/).flatMap { Int($0.1) }
    }
  }

  /// One request to its own API; the body of a success.
  func request(_ method: String, _ path: String, _ body: String? = nil) async throws -> JSONValue? {
    var words = ["curl", "-s", "-f", "-m", "10", "-X", method]
    if let body { words += ["-H", "Content-Type: application/merge-patch+json", "--data-binary", body] }
    let answer = try await run(words + ["http://127.0.0.1:\(port)\(path)"])
    return answer.status == 0 ? try JSONValue(parsing: answer.output) : nil
  }

  func isReady() async throws -> Bool {
    try await run(["curl", "-s", "-f", "-m", "10", "http://127.0.0.1:\(port)/readyz"]).status == 0
  }

  /// SIGTERM, and its end in good order.
  func stop() async throws {
    process.send(SIGTERM)
    let ended = try await process.result(within: .seconds(120))
    guard ended.status == 0 else { throw Trouble("\(ended)") }
  }
}
