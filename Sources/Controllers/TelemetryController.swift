internal import Documents
internal import Resources
public import Telemetry

/// Hands the Pipelines and Sinks to the telemetry engine whenever one of them changes.
public struct TelemetryController: Sendable {
  private let mirror: ResourceMirror
  private let engine: TelemetryEngine

  public init(mirror: ResourceMirror, engine: TelemetryEngine) {
    self.mirror = mirror
    self.engine = engine
  }

  /// Follows until the task is cancelled. The engine gets all definitions at once before it takes samples: a pipeline
  /// whose state is on disk is there when the first sample comes.
  public func run() async {
    await mirror.waitUntilSynced()
    await apply()
    await mirror.changes().drain { changes in
      guard changes.contains(where: { $0.resource == .pipelines || $0.resource == .sinks }) else { return }
      await apply()
    }
  }

  private func apply() async {
    await engine.apply(
      pipelines: definitions(.pipelines).map { PipelineDefinition(key: $0, spec: $1) },
      sinks: definitions(.sinks).map { SinkDefinition(key: $0, spec: $1) })
  }

  private func definitions(_ resource: ResourceName) -> [(String, JSONValue)] {
    mirror.objects(resource).sorted { $0.key < $1.key }.map { ($0.key.description, $0.value["spec"] ?? [:]) }
  }
}
