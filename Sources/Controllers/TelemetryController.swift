internal import Documents
public import Logging
internal import Resources
public import Telemetry

/// Hands the Pipelines and Sinks, and what this node's Gateway says of them, to the telemetry engine whenever one of them
/// changes.
public struct TelemetryController: Sendable {
  private let mirror: ResourceMirror
  private let engine: TelemetryEngine
  private let nodeName: String
  private let logger: Logger

  public init(mirror: ResourceMirror, engine: TelemetryEngine, nodeName: String, logger: Logger) {
    self.mirror = mirror
    self.engine = engine
    self.nodeName = nodeName
    self.logger = logger
  }

  /// Follows until the task is cancelled. The engine gets all definitions at once before it takes samples: a pipeline
  /// whose state is on disk is there when the first sample comes.
  public func run() async {
    await mirror.waitUntilSynced()
    var localQuery = await apply(LocalQuerySettings())
    await mirror.changes().drain { changes in
      let hasChanged = changes.contains { $0.resource == .pipelines || $0.resource == .sinks }
      guard hasChanged || settings(else: localQuery) != localQuery else { return }
      localQuery = await apply(localQuery)
    }
  }

  /// What the Gateway asks for; what was in force before where that cannot be.
  private func settings(else former: LocalQuerySettings) -> LocalQuerySettings {
    do {
      return try LocalQuerySettings(
        json: mirror.object(.gateways, ObjectKey(name: nodeName))?[path: "spec", "localQuery"])
    } catch {
      logger.error("Gateway \(nodeName): \(error)")
      return former
    }
  }

  private func apply(_ former: LocalQuerySettings) async -> LocalQuerySettings {
    let localQuery = settings(else: former)
    await engine.apply(
      pipelines: definitions(.pipelines).map { PipelineDefinition(key: $0, spec: $1) },
      sinks: definitions(.sinks).map { SinkDefinition(key: $0, spec: $1) }, localQuery: localQuery)
    return localQuery
  }

  private func definitions(_ resource: ResourceName) -> [(String, JSONValue)] {
    mirror.objects(resource).sorted { $0.key < $1.key }.map { ($0.key.description, $0.value["spec"] ?? [:]) }
  }
}
