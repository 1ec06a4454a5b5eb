import Documents
import Foundation
import HTTPServing
import Hummingbird
import KubernetesAPI
import KubernetesClient
import Logging
import NIOCore
import NIOSSL
import ResourceConformance
import ResourceStore
import Resources
import ServiceLifecycle
import Synchronization
import TestSupport
import YAML

/// An API server of the project's own, on a free port of the loopback, over TLS and with a token: what stands in for a
/// cluster. It can be taken away and brought back.
final class TestCluster: Sendable {
  static let token = "gateway-token-0123456789"
  static let user = "system:serviceaccount:selvedge:selvedge"
  /// Of the server of the cluster's twins.
  static let twinsToken = "twins-token-0123456789"
  static let twinsUser = "system:serviceaccount:selvedge:selvedge-twins"
  /// One authority for all tests: a key takes time.
  static let authority = Task { () -> TestAuthority in
    let authority = try await TestAuthority(in: ScratchFolder())
    try await authority.issueServer("server")
    return authority
  }

  let store: EmbeddedResourceStore
  let log = RequestLog()
  let faults = FaultPlan()
  let folder: ScratchFolder
  let clock: HandClock
  let port: Int
  private let authority: TestAuthority
  private let policy: AccessPolicy
  private let running = Mutex<(group: ServiceGroup, task: Task<Void, Never>)?>(nil)

  var url: String { "https://127.0.0.1:\(port)" }

  /// - Parameter policy: who may do what; nil: the gateway's user may do everything.
  init(crds: [JSONValue] = TestKinds.crds, policy: AccessPolicy? = nil) async throws {
    folder = try ScratchFolder()
    authority = try await Self.authority.value
    clock = HandClock()
    port = Int(freePort())
    self.policy =
      try policy
      ?? AccessPolicy(
        manifests: try YAMLDocument.all(
          in: Array(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: all}
            roleRef: {kind: ClusterRole, name: everything}
            subjects: [{kind: User, name: "\(Self.user)"}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: everything}
            rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
            """.utf8)))
    store = try EmbeddedResourceStore.open(
      directory: folder("store"), definitions: crds.compactMap { ResourceDefinition(crd: $0) }, crds: crds,
      clock: { [clock] in clock.now })
    try folder.write(Self.token, to: "token")
    try await start()
  }

  /// Runs a body with a cluster that ends with it.
  static func with(
    crds: [JSONValue] = TestKinds.crds, policy: AccessPolicy? = nil, _ body: (TestCluster) async throws -> Void
  ) async throws {
    let cluster = try await TestCluster(crds: crds, policy: policy)
    do {
      try await body(cluster)
    } catch {
      await cluster.stop()
      throw error
    }
    await cluster.stop()
  }

  func start() async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let router = Router()
    router.add(middleware: RequestLogMiddleware(log: log))
    router.add(middleware: FaultMiddleware(plan: faults))
    let tokens = try StaticTokens(
      text:
        "\(Self.token),\(Self.user),1\nsecond-token-0123456789,\(Self.user),1\n\(Self.twinsToken),\(Self.twinsUser),2\n"
    )
    KubernetesAPI(
      backends: [store], now: { [clock] in clock.now }, version: "0.1.0", logger: logger,
      requestGuard: LocalRequestGuard(takesAnyHost: true),
      access: AccessControl(credentials: .init(tokens: { tokens }), policy: { [policy] in policy })
    ).register(on: router)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(authority.folder("server.pem")).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: authority.folder("server.key"), format: .pem)))
    configuration.applicationProtocols = ["http/1.1"]
    let context = try NIOSSLContext(configuration: configuration)
    let (bound, announce) = AsyncStream.makeStream(of: Void.self)
    let server = HTTPServer(
      router: router, address: .init(host: "127.0.0.1", port: port),
      gauge: ConnectionGauge(limits: .init(connections: 1_024)),
      secure: { try $0.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) },
      onRunning: { _ in announce.finish() }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    let task = Task {
      try? await group.run()
      announce.finish()
    }
    running.withLock { $0 = (group, task) }
    for await _ in bound {}
  }

  func stop() async {
    let current = running.withLock { running in
      defer { running = nil }
      return running
    }
    guard let current else { return }
    await current.group.triggerGracefulShutdown()
    await withTaskGroup { group in
      group.addTask { await current.task.value }
      // A watch that is asked for in between ends too.
      group.addTask { [store] in
        while !Task.isCancelled {
          await store.endWatches()
          try? await Task.sleep(for: .milliseconds(20))
        }
      }
      await group.next()
      group.cancelAll()
    }
  }

  /// Forgets the log of changes up to now.
  func compact() async throws {
    clock.advance(.seconds(7_200))
    try await store.maintain()
  }

  // MARK: The client's side

  var authorityFile: String { authority.certificate }

  func access(port: Int? = nil) throws -> ClusterAccess {
    var access = try ClusterAccess(
      server: port.map { "https://127.0.0.1:\($0)" } ?? url, token: .file(folder("token")), origin: "the test")
    access.authorities = .file(authority.certificate)
    return access
  }

  static var tuning: ClientTuning {
    var tuning = ClientTuning()
    tuning.requestsPerSecond = 10_000
    tuning.burst = 10_000
    tuning.firstPause = .milliseconds(50)
    tuning.longestPause = .milliseconds(500)
    return tuning
  }

  func client(_ tuning: ClientTuning = TestCluster.tuning, port: Int? = nil) throws -> KubernetesClient {
    try KubernetesClient(access(port: port), tuning: tuning, version: "test", logger: Self.quiet)
  }

  static var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  /// A backend that follows `following`, running while `body` does.
  func withBackend(
    _ following: [KubernetesResourceBackend.Following] = [.init(TestKinds.widgets)],
    definitions: [ResourceDefinition] = TestKinds.definitions + BuiltInKinds.all, secretReferrers: [ResourceName] = [],
    tuning: ClientTuning = TestCluster.tuning, port: Int? = nil, in directory: String? = nil,
    _ body: @escaping @Sendable (KubernetesResourceBackend) async throws -> Void
  ) async throws {
    let directory = directory ?? folder("cache")
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let backend = try KubernetesResourceBackend(
      client: try client(tuning, port: port), definitions: definitions,
      keeping: .init(
        directory: directory, secretKeyFile: directory + "/secrets.key", following: following,
        secretReferrers: secretReferrers), logger: Self.quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await backend.run() }
      group.addTask { try await body(backend) }
      // The body's end, whichever comes first.
      do {
        try await group.next()
      } catch {
        group.cancelAll()
        throw error
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}

/// A clock that stands until it is moved.
final class HandClock: Sendable {
  private let time = Mutex(Timestamp(seconds: 1_800_000_000))
  var now: Timestamp { time.withLock { $0 } }
  func advance(_ span: Duration) { time.withLock { $0 = $0 + span } }
}
