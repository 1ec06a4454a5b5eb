internal import Documents
internal import HTTPClient
internal import Logging
internal import Resources

/// Takes out of a status what the server's version of the kind does not know: one unknown field makes a server refuse a
/// whole server-side apply.
///
/// The server's schemas are read from its OpenAPI v3 document, which every account may read, when a status of the group
/// is first applied, when an apply is refused for a field, and again after an hour where one is applied then.
actor StatusTrimmer {
  private let client: KubernetesClient
  private let logger: Logger
  private var groups: [String: (fields: [String: KnownFields], read: ContinuousClock.Instant)] = [:]
  private var told: Set<String> = []

  private static let age = Duration.seconds(3_600)

  init(client: KubernetesClient, logger: Logger) {
    self.client = client
    self.logger = logger
  }

  /// The configuration with a status that the server takes, and the paths of what was left out.
  /// - Parameter kinds: those of the same group, whose schemas are read along.
  func trimmed(_ configuration: JSONValue, of kind: ResourceDefinition, among kinds: [ResourceDefinition]) async
    -> (JSONValue, removed: [String])
  {
    await refresh(kind, kinds)
    guard let status = configuration["status"], let fields = groups[kind.groupPath]?.fields[kind.kind] else {
      return (configuration, [])
    }
    var removed: [String] = []
    var configuration = configuration
    configuration["status"] = fields.trimming(status, at: "status", removed: &removed)
    for path in removed where told.insert("\(kind.kind) \(path)").inserted {
      logger.warning(
        "the cluster's CRD does not know a field of the status, which is left out: apply this version's CRDs",
        metadata: ["kind": "\(kind.kind)", "field": "\(path)"])
    }
    return (configuration, removed)
  }

  /// The next status is held against schemas that are read anew.
  func forget(_ kind: ResourceDefinition) { groups[kind.groupPath] = nil }

  /// Whether a refusal says that a field is not in the server's schema.
  static func isAboutField(_ status: APIStatus) -> Bool {
    status.message.contains("field not declared in schema") || status.message.contains("unknown field")
  }

  private func refresh(_ kind: ResourceDefinition, _ kinds: [ResourceDefinition]) async {
    let now = ContinuousClock.now
    if let group = groups[kind.groupPath], now - group.read < Self.age { return }
    do {
      let answer = try await client.connection.send(
        .get(ClientFigures.Call("get", "openapi"), "/openapi/v3\(kind.groupPath)"))
      let group = kinds.filter { $0.groupPath == kind.groupPath }
      let projection = JSONProjection(
        paths: group.map { ["components", "schemas", Self.schemaName(of: $0), "properties", "status"] })
      var parser = JSONParser(answer.body)
      let document = try parser.parse(only: projection).value
      var fields: [String: KnownFields] = [:]
      for kind in group {
        let schema = document[path: "components", "schemas", Self.schemaName(of: kind), "properties", "status"]
        if let schema { fields[kind.kind] = KnownFields(schema) }
      }
      groups[kind.groupPath] = (fields, now)
    } catch {
      // What is known stays; without it the status goes as it is. Asked again after ten minutes.
      groups[kind.groupPath] = (groups[kind.groupPath]?.fields ?? [:], now - Self.age + .seconds(600))
      logger.debug("the schemas of the API server were not read", metadata: ["error": "\(error)"])
    }
  }

  /// As API servers name it: `dev.selvedge.v1alpha1.Device`.
  static func schemaName(of kind: ResourceDefinition) -> String {
    (kind.group.split(separator: ".").reversed().map(String.init) + [kind.version, kind.kind]).joined(separator: ".")
  }
}
