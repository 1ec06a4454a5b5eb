internal import Controllers
internal import DeviceKit
internal import FoundationEssentials
internal import HTTPServing
internal import Hummingbird
internal import KubernetesAPI
internal import KubernetesClient
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Resources
internal import ServiceLifecycle
internal import TwinAggregation
internal import UnixSignals

/// Serves the twins of all gateways through the cluster's own API server: the server behind an APIService.
public enum TwinsServer {
  /// Runs until SIGTERM or SIGINT. Throws ``StartError`` for what the person who starts it can mend.
  public static func run(_ configuration: TwinsServerConfiguration) async throws {
    LoggingSystem.bootstrap { label in
      LogOutput(label: label, level: configuration.logLevel, format: configuration.logFormat)
    }
    let logger = Logger(label: "selvedge")
    let parts = try TwinsServerParts(configuration, logger: logger)
    logger.notice("selvedge serves the cluster's twins", metadata: ["version": "\(GatewayVersion.text)"])
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: parts.services().map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger))
    do {
      try await group.run()
    } catch let error {
      throw StartError.describing(error, listen: configuration.listen)
    }
    await parts.close()
    logger.notice("selvedge has stopped")
  }
}

/// The parts of that server, wired.
struct TwinsServerParts {
  private let configuration: TwinsServerConfiguration
  private let logger: Logger
  private let cluster: KubernetesClient
  private let twins: TwinAggregate
  private let directory: GatewayDirectory
  private let authority: RequestHeaderAuthority
  private let tls: AggregatedServerTLS
  private let connections = ConnectionGauge(limits: .init(connections: OpenFileLimit.raised().connections))
  private let clock = WallClock.system

  init(_ configuration: TwinsServerConfiguration, logger: Logger) throws {
    self.configuration = configuration
    self.logger = logger
    let certificates = TwinsCertificates(folder: configuration.certificates)
    do throws(ClusterAccessError) {
      let access =
        configuration.cluster.kubeconfig.isEmpty
        ? try ClusterAccess(inCluster: ProcessInfo.processInfo.environment)
        : try ClusterAccess(kubeconfig: configuration.cluster.kubeconfig, context: configuration.cluster.context)
      cluster = try KubernetesClient(access, version: GatewayVersion.text, logger: logger)
    } catch {
      throw StartError(error.message)
    }
    guard let gateways = try BuiltInPlugins.definitions().first(where: { $0.name == .gateways }) else {
      throw StartError("there is no kind Gateway")
    }
    var bounds = MergedTwins.Bounds()
    bounds.bytes = configuration.memoryBytes
    let authority = RequestHeaderAuthority(client: cluster, logger: logger)
    self.authority = authority
    twins = TwinAggregate(TwinBackend.definition, twins: MergedTwins(startingAt: clock.now, bounds: bounds))
    tls = try AggregatedServerTLS(certificates, authorities: { authority.current?.authorities }, logger: logger)
    var tuning = ClientTuning()
    tuning.requestsPerSecond = 100
    tuning.burst = 200
    // A command may take a minute; and whoever asks should hear of a gateway that is away.
    tuning.answerTimeout = .seconds(62)
    tuning.attempts = 2
    tuning.keepAlive = .seconds(10)
    tuning.longestPause = .seconds(10)
    directory = GatewayDirectory(
      cluster: cluster, gatewayKind: gateways, twinKind: TwinBackend.definition, twins: twins,
      now: { [clock] in clock.now }, logger: logger
    ) { [tuning] gateway, address in
      try KubernetesClient(
        certificates.access(to: gateway, at: address), tuning: tuning, version: GatewayVersion.text, logger: logger)
    }
  }

  func services() -> [any Service] {
    [
      LoopService(name: "authority") { [authority] in await authority.run() },
      LoopService(name: "gateways") { [directory] in await directory.run() },
      LoopService(name: "bookmarks") { [twins] in
        while (try? await Task.sleep(for: .seconds(30))) != nil { twins.remind() }
      },
      apiServer(), healthServer(),
    ]
  }

  func close() async { await cluster.close() }

  private func apiServer() -> some Service {
    let router = Router(context: GatewayRequestContext.self)
    // That the user may, the cluster's API server has asked before it passed the request on.
    let policy = AccessPolicy.behindFrontProxy(
      groups: [TwinBackend.definition.group], paths: ["/api", "/apis", "/apis/*", "/openapi/*", "/version"])
    KubernetesAPI(
      backends: [twins], now: { [clock] in clock.now }, version: GatewayVersion.text, logger: logger,
      requestGuard: LocalRequestGuard(takesAnyHost: true),
      access: AccessControl(
        credentials: .init(frontProxy: { [authority] in authority.current?.proxy }), policy: { policy }),
      maximumWatches: connections.limits.connections, answersReviews: false
    ).register(on: router)
    return server(router, at: configuration.listen) { [tls] channel in
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: try tls.context()))
    }
  }

  private func healthServer() -> some Service {
    let router = Router(context: GatewayRequestContext.self)
    let metrics = TwinsServerMetrics(twins: twins, cluster: cluster, connections: connections)
    HealthRoutes(
      unreadiness: { [authority, directory] in
        guard authority.current != nil else { return "the API server's proxy certificate is not known" }
        return directory.isSynced ? nil : "the gateways are being asked"
      },
      metrics: { metrics.text() }
    ).register(on: router)
    return server(router, at: configuration.healthListen, secure: nil)
  }

  private func server(
    _ router: Router<GatewayRequestContext>, at address: ListenAddress,
    secure: (@Sendable (any Channel) throws -> Void)?
  ) -> some Service {
    HTTPServer(
      router: router, address: .init(host: address.host, port: address.port), gauge: connections, secure: secure,
      onRunning: { [logger] channel in
        var bound = address
        bound.port = channel.localAddress?.port ?? address.port
        logger.notice("listening", metadata: ["address": "\(bound)"])
      }, logger: logger)
  }
}
