internal import Controllers
internal import DeviceKit
internal import Documents
internal import FoundationEssentials
internal import KubernetesClient
internal import Logging
internal import ResourceStore
internal import Resources

/// Where this gateway's resources live: in a store of its own, or in a cluster that others share.
struct ResourceHome: Sendable {
  /// For controllers: they read and write here.
  let backend: any ResourceBackend
  /// What the gateway's own API shows of it.
  let shown: any ResourceBackend
  let status: any StatusWriter
  /// Whether other gateways write there too.
  let isShared: Bool
  /// Where Leases are, if others write there too.
  var leaseNamespace = ""
  /// Nil where there is none.
  var cluster: Cluster?
  /// What runs while the gateway does, by name.
  let loops: [(name: String, body: @Sendable () async -> Void)]

  /// What speaks to a cluster.
  struct Cluster: Sendable {
    let backend: KubernetesResourceBackend
    let status: ApplyingStatusWriter
  }

  static func make(
    _ configuration: GatewayConfiguration, data: DataDirectory, clock: WallClock, logger: Logger
  ) throws -> ResourceHome {
    guard let cluster = configuration.cluster else {
      return try embedded(configuration, data: data, logger: logger)
    }
    return try inCluster(cluster, configuration, data: data, clock: clock, logger: logger)
  }

  private static func embedded(_ configuration: GatewayConfiguration, data: DataDirectory, logger: Logger) throws
    -> ResourceHome
  {
    do {
      let store = try EmbeddedResourceStore.open(
        directory: try data.folder(data.resources), definitions: try BuiltInPlugins.definitions(),
        crds: try BuiltInPlugins.customResourceDefinitions(), secretKeyFile: configuration.secretKeyFile,
        logger: logger)
      return ResourceHome(
        backend: store, shown: store, status: MergingStatusWriter(backend: store), isShared: false,
        loops: [("resources", { await store.run() })])
    } catch let error as StoreError {
      throw StartError(error.message)
    }
  }

  private static func inCluster(
    _ cluster: GatewayConfiguration.Cluster, _ configuration: GatewayConfiguration, data: DataDirectory,
    clock: WallClock, logger: Logger
  ) throws -> ResourceHome {
    do {
      let access =
        cluster.kubeconfig.isEmpty
        ? try ClusterAccess(inCluster: ProcessInfo.processInfo.environment)
        : try ClusterAccess(kubeconfig: cluster.kubeconfig, context: cluster.context)
      logger.notice(
        "resources live in a cluster",
        metadata: ["server": "\(access.server)", "by": "\(access.origin)", "leases": "\(access.namespace)"])
      let client = try KubernetesClient(access, version: GatewayVersion.text, logger: logger)
      let backend = try KubernetesResourceBackend(
        client: client, definitions: try BuiltInPlugins.definitions() + BuiltInKinds.all,
        keeping: .init(
          directory: try data.folder(data.cluster), secretKeyFile: configuration.secretKeyFile,
          following: following(node: configuration.nodeName), secretReferrers: [.brokers, .sinks],
          secretNamespaces: cluster.secretNamespaces), logger: logger)
      let status = ApplyingStatusWriter(backend: backend, clock: clock, logger: logger)
      return ResourceHome(
        backend: backend, shown: ClusterView(backend) ?? backend, status: status, isShared: true,
        leaseNamespace: access.namespace, cluster: Cluster(backend: backend, status: status),
        loops: [("cluster", { await backend.run() }), ("status writes", { await status.run() })])
    } catch let error as ClusterAccessError {
      throw StartError(error.message)
    } catch let error as CacheError {
      throw StartError(error.message)
    }
  }

  /// Devices of this node, and those of none: field selectors know no "or", so that is two watches.
  private static func following(node: String) -> [KubernetesResourceBackend.Following] {
    let nodes = [node, ""].map {
      FieldSelector(requirements: [.init(path: "spec.nodeName", value: $0, isEqual: true)])
    }
    return [
      .init(.devices, selectors: nodes), .init(.deviceModels), .init(.gateways), .init(.discoveries), .init(.brokers),
      .init(.pipelines), .init(.sinks),
    ]
  }
}
