internal import Controllers
internal import DeviceKit
internal import Documents
internal import HTTPServing
internal import Hummingbird
internal import KubernetesAPI
internal import Logging
internal import MQTTClient
internal import NIOCore
internal import NIOSSL
internal import Resources
internal import ServiceLifecycle
internal import Telemetry
internal import TwinStore

/// The parts of one gateway, wired: stores at the bottom, then the ways of a find, a wish and a reading, the API on top.
struct GatewayParts {
  private let configuration: GatewayConfiguration
  private let logger: Logger
  private let clock: WallClock
  private let data: DataDirectory
  private let home: ResourceHome
  private let twins: TwinStore
  private let twinBackend: TwinBackend
  private let telemetry: TelemetryEngine
  private let protocols: [any ProtocolPlugin]
  private let brokers: BrokerPool
  private let mirror: ResourceMirror
  private let board = ConnectionBoard()
  private let statusChanges = CoalescingSignal<DeviceKey>()
  private let linkChanges: LinkEvents
  private let brokerController: BrokerController
  private let ownership: DeviceOwnership?
  private let devices: DeviceController
  private let discoveries: DiscoveryController
  private let remoteWishes: RemoteWishController
  private let servers: ServerController
  private let events: EventRecorder
  private let audit: AuditFile
  private let apiAccess: APIAccess
  private let connections: ConnectionGauge
  private let twinsTLS: ServerTLS?

  init(_ configuration: GatewayConfiguration, logger: Logger) throws {
    self.configuration = configuration
    self.logger = logger
    connections = ConnectionGauge(limits: .init(connections: OpenFileLimit.raised().connections))
    apiAccess = try APIAccess(configuration, logger: logger)
    twinsTLS = try configuration.twinsTLS.map { try TwinsCertificates(folder: $0).server(logger: logger) }
    data = try DataDirectory(configuration.dataDirectory)
    audit = AuditFile(folder: try data.folder(data.audit), logger: logger)
    let spools = try data.folder(data.spool)
    let gatewayClock = GatewayClock.ofThisProgram(spools: spools)
    clock = gatewayClock.wall
    home = try ResourceHome.make(configuration, data: data, clock: clock, logger: logger)
    let points = PointTable()
    do {
      twins = try TwinStore.open(
        directory: try data.folder(data.twins), points: points, clock: clock, logger: logger,
        options: .init(
          isReadOnlyGateway: configuration.isReadOnly,
          history: .init(age: configuration.historyAge, bytes: configuration.historyBytes)))
    } catch let error as TwinError {
      throw StartError("\(error)")
    }
    twinBackend = TwinBackend(twins: twins)
    brokers = BrokerPool(logger: logger, now: { [clock] in clock.now })
    mirror = ResourceMirror(
      backend: home.backend,
      resources: [.deviceModels, .gateways, .devices, .discoveries, .brokers, .pipelines, .sinks, .secrets],
      logger: logger)
    let secrets = configuration.secretsDirectory
    let plugins = BuiltInPlugins(
      brokers: brokers, exportDirectory: configuration.exportDirectory,
      credentials: MirroredCredentials(mirror: mirror) { (file) throws(DeviceError) in
        try SecretFolder(path: secrets).read(file)
      }, node: configuration.nodeName, protocolState: try data.folder(data.protocolState),
      sinkState: try data.folder(data.sinkState), clock: clock, logger: logger)
    protocols = plugins.protocols
    let directory = PointDirectory()
    telemetry = TelemetryEngine(
      directory: spools, node: configuration.nodeName, points: points, sinks: plugins.sinks,
      describe: { directory.series(of: $0) }, range: { directory.range(of: $0).map { ($0.lowerBound, $0.upperBound) } },
      clock: gatewayClock, logger: logger)
    brokers.beforeAcknowledging { [telemetry] in await telemetry.commit() }
    events = EventRecorder(backend: home.backend, nodeName: configuration.nodeName, clock: clock, logger: logger)
    linkChanges = LinkEvents(statusChanges: statusChanges)
    brokerController = BrokerController(mirror: mirror, pool: brokers, nodeName: configuration.nodeName) {
      (file) throws(DeviceError) in try SecretFolder(path: secrets).read(file)
    }
    ownership =
      home.isShared
      ? DeviceOwnership(
        backend: home.backend, namespace: home.leaseNamespace, gateway: configuration.nodeName, mirror: mirror,
        endpoint: { [protocols] connection in Self.endpoint(of: connection, protocols) },
        timing: LeaseTiming(duration: configuration.leaseDuration), identityFile: data.cluster + "/identity",
        twins: twins, clock: clock, elapsed: { .nanoseconds(gatewayClock.elapsed) }, logger: logger) : nil
    devices = DeviceController(
      mirror: mirror, plugins: plugins.protocols,
      resolver: DeviceResolver(
        nodeName: configuration.nodeName, protocolNames: Set(plugins.protocols.map(\.name)),
        isReadOnly: configuration.isReadOnly),
      ownership: ownership, twins: twins, points: points,
      directory: directory, board: board,
      feed: GatewayFeed(twins: twins, telemetry: telemetry, board: board, onTransition: linkChanges.note),
      writer: DesiredStateWriter(twins: twins, audit: WriteAuditLog(file: audit, clock: clock, logger: logger).record),
      telemetry: telemetry, statusChanges: statusChanges, logger: logger)
    remoteWishes = RemoteWishController(
      mirror: mirror, pool: brokers, twins: twins, nodeName: configuration.nodeName, clock: clock,
      audit: WriteAuditLog(file: audit, clock: clock, logger: logger).record, logger: logger)
    servers = ServerController(
      mirror: mirror, plugins: plugins.protocols,
      access: TwinPropertyAccess(
        twins: twins, audit: WriteAuditLog(file: audit, clock: clock, logger: logger).record(client:)),
      nodeName: configuration.nodeName, programVersion: GatewayVersion.text)
    discoveries = DiscoveryController(
      mirror: mirror, backend: home.backend, writer: home.status, plugins: plugins.protocols, sessions: devices,
      nodeName: configuration.nodeName, clock: clock, events: events,
      audit: WriteAuditLog(file: audit, clock: clock, logger: logger).record(scan:step:), logger: logger)
  }

  /// In the order of their start; they are stopped from the last to the first.
  func services() throws -> [any Service] {
    var services: [any Service] = [
      loop("audit") { [audit] in await audit.run() },
      loop("telemetry") { [telemetry] in await telemetry.run() },
      loop("mirror") { [mirror] in await mirror.run() },
      loop("transitions") { [twins, mirror, events, statusChanges] in
        await TransitionReporter(twins: twins, mirror: mirror, events: events, statusChanges: statusChanges).run()
      },
      loop("alarms") { [telemetry, mirror, events] in
        await AlarmReporter(telemetry: telemetry, mirror: mirror, events: events).run()
      },
      loop("status") { [self] in await statusPublisher.run() },
      loop("shared status") { [self] in await sharedStatusPublisher.run() },
      loop("links") { [linkChanges, mirror, events] in await linkChanges.run(mirror: mirror, events: events) },
      loop("telemetry definitions") { [mirror, telemetry, configuration, logger] in
        await TelemetryController(
          mirror: mirror, engine: telemetry, nodeName: configuration.nodeName, logger: logger
        ).run()
      },
      loop("remote wishes") { [remoteWishes] in await remoteWishes.run() },
      loop("brokers") { [brokerController, devices, remoteWishes] in
        // The broker hands over what waited for this gateway with the connection: sessions must listen by then.
        await devices.waitUntilServed()
        await remoteWishes.waitUntilListening()
        try? await Task.sleep(for: .milliseconds(200))
        await brokerController.run()
      },
      loop("ownership") { [ownership, devices, board] in
        guard let ownership else { return await untilCancelled() }
        await ownership.run(board: board) { await devices.isActive($0) }
      },
      loop("devices") { [devices] in await devices.run() },
      loop("servers") { [servers] in await servers.run() },
      loop("forgotten twins") { [twins, mirror, logger] in
        await TwinRetention(twins: twins, mirror: mirror, logger: logger).run()
      },
      loop("start pages") {
        // By then the start is over, and what remains is used again at once.
        guard (try? await Task.sleep(for: .seconds(3))) != nil else { return }
        ProgramPages.release()
        await untilCancelled()
      },
      loop("discoveries") { [discoveries] in await discoveries.run() },
    ]
    services.insert(contentsOf: home.loops.map { loop($0.name, $0.body) }, at: 2)
    if let directory = configuration.manifestsDirectory {
      let manifests = ManifestDirectory(
        directory: directory, statePath: data.manifestState, backend: home.backend, logger: logger)
      services.append(loop("manifests") { await manifests.run() })
    }
    // Stopped first: a broker that is left before the sessions end keeps their subscriptions, and what devices publish
    // while the gateway restarts waits there.
    services.append(
      loop("broker links") { [brokers] in
        await untilCancelled()
        // Of a task of its own: this one is cancelled.
        await Task { await brokers.closeAndWait() }.value
      })
    services.append(apiServer())
    if let address = configuration.twinsListen { services.append(twinsServer(address)) }
    if let address = configuration.healthListen { services.append(healthServer(address)) }
    return services
  }

  /// The last writes of a clean stop, after every service has ended.
  func close() async {
    await telemetry.shutdown()
    await twins.close()
    await audit.flush()
  }

  /// What a Device is reached through, by its `spec.connection`: nil for a port of this machine.
  private static func endpoint(of connection: JSONValue, _ protocols: [any ProtocolPlugin]) -> String? {
    guard let (name, fragment) = connection.object?.first(where: { !$0.value.isNull }),
      let plugin = protocols.first(where: { $0.name == name })
    else { return connection.description }
    return plugin.endpoint(of: fragment).map { "\(name) \($0)" }
  }

  private func untilCancelled() async {
    for await _ in AsyncStream<Void>.makeStream().stream {}
  }

  private func loop(_ name: String, _ body: @escaping @Sendable () async -> Void) -> LoopService {
    LoopService(name: name, body: body)
  }

  private var statusPublisher: StatusPublisher {
    StatusPublisher(
      mirror: mirror, writer: home.status, devices: devices, twins: twins, board: board,
      nodeName: configuration.nodeName, isAlone: !home.isShared, changes: statusChanges, clock: clock, logger: logger)
  }

  private var sharedStatusPublisher: SharedStatusPublisher {
    SharedStatusPublisher(
      mirror: mirror, backend: home.backend, writer: home.status,
      summarises: { [ownership] in ownership?.summarises ?? true }, nodeName: configuration.nodeName,
      facts: NodeFacts.status(startTime: clock.now),
      figures: { [board, remoteWishes, servers, configuration] in
        let (connected, disconnected) = board.counts
        return [
          "devices": ["total": .integer(Int64(connected + disconnected)), "connected": .integer(Int64(connected))],
          "remoteDesired": remoteWishes.status ?? .null, "servers": servers.status,
          "twinsAddress": configuration.twinsListen.map { .string("\($0)") } ?? .null,
        ]
      },
      sources: StatusSources(
        devices: devices, protocolNames: Set(protocols.map(\.name)), brokers: brokerController,
        discoveries: discoveries, telemetry: telemetry, mirror: mirror
      ).all,
      events: events, clock: clock, logger: logger)
  }

  private var health: HealthRoutes {
    let metrics = GatewayMetrics(
      nodeName: configuration.nodeName, board: board, twins: twins, telemetry: telemetry,
      protocols: protocols, events: events, audit: audit, connections: connections, remoteWishes: remoteWishes,
      ownership: ownership, cluster: home.cluster)
    return HealthRoutes(
      unreadiness: { [mirror] in mirror.isSynced ? nil : "the resources are being read" },
      metrics: { await metrics.text() })
  }

  private func apiServer() -> some Service {
    let router = Router(context: GatewayRequestContext.self)
    let requestGuard = apiAccess.requestGuard
    let access = apiAccess.control(audit: audit)
    // The API asks its guard and who may do what by itself: what it refuses goes on record.
    KubernetesAPI(
      backends: [home.shown, twinBackend], now: { [clock] in clock.now }, version: GatewayVersion.text, logger: logger,
      requestGuard: requestGuard, access: access, maximumWatches: connections.limits.connections
    ).register(on: router)
    router.add(middleware: LocalRequestMiddleware(requestGuard))
    // These ask by themselves too: as for what they read, not for their paths.
    TelemetryRoutes(telemetry: telemetry, access: access, now: { [clock] in clock.now }).register(on: router)
    QuarantineRoutes(telemetry: telemetry, access: access, now: { [clock] in clock.now }).register(on: router)
    router.add(middleware: AccessMiddleware(access))
    health.register(on: router)
    DashboardRoutes().register(on: router)
    // A cluster's resources are the cluster's to save.
    if !home.isShared {
      BackupRoutes(
        backup: GatewayBackup(dataDirectory: data.path), flush: { [twins] in try? await twins.flush() }, logger: logger
      ).register(on: router)
    }
    return server(router, at: configuration.listen, tls: apiAccess.tls)
  }

  /// The twins alone, for the server of the cluster's twins alone: it has asked whether its user may.
  private func twinsServer(_ address: ListenAddress) -> some Service {
    let router = Router(context: GatewayRequestContext.self)
    KubernetesAPI(
      backends: [twinBackend], now: { [clock] in clock.now }, version: GatewayVersion.text, logger: logger,
      requestGuard: LocalRequestGuard(takesAnyHost: true),
      access: TwinsCertificates.access(audit: { [audit] in audit.record($0.json, isStranger: $0.isUnauthenticated) }),
      maximumWatches: 16, answersReviews: false
    ).register(on: router)
    return server(router, at: address, tls: twinsTLS)
  }

  private func healthServer(_ address: ListenAddress) -> some Service {
    let router = Router(context: GatewayRequestContext.self)
    health.register(on: router)
    return server(router, at: address, tls: nil)
  }

  private func server(_ router: Router<GatewayRequestContext>, at address: ListenAddress, tls: ServerTLS?)
    -> some Service
  {
    var secure: (@Sendable (any Channel) throws -> Void)?
    if let tls {
      secure = { try $0.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context)) }
    }
    return HTTPServer(
      router: router, address: .init(host: address.host, port: address.port), gauge: connections, secure: secure,
      onRunning: { [logger] channel in
        var bound = address
        bound.port = channel.localAddress?.port ?? address.port
        logger.notice("listening", metadata: ["address": "\(bound)"])
      }, logger: logger)
  }
}
