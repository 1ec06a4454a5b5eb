package import Documents
internal import HTTPClient
public import Logging
package import Resources

/// A client of one API server: every verb on every kind that a ``ResourceDefinition`` describes.
///
/// Requests go out at a bounded pace, are tried again where that can help, and are refused at once while the server is
/// away. Every throw is the server's own Status, or one of code 503 where there is no answer.
public final class KubernetesClient: Sendable {
  let connection: APIConnection
  var tuning: ClientTuning { connection.tuning }

  /// - Parameter version: the program's, for the User-Agent.
  public init(_ access: ClusterAccess, tuning: ClientTuning = ClientTuning(), version: String, logger: Logger)
    throws(ClusterAccessError)
  {
    connection = APIConnection(access, tuning: tuning, userAgent: "selvedge/\(version)", logger: logger)
    try connection.check()
  }

  /// Whether the server answered when it was last asked.
  public var isReachable: Bool { connection.isReachable }

  /// What was asked of the server, and what came of it.
  public var figures: ClientFigures { connection.figures }

  /// Ends the connections.
  public func close() async { await connection.close() }

  // MARK: Objects

  package func get(_ kind: ResourceDefinition, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try Self.object(
      try await connection.send(.get(kind.call("get"), kind.path(namespace: key.namespace, name: key.name))), of: kind)
  }

  func create(_ kind: ResourceDefinition, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try await write(
      APIRequest(
        call: kind.call("create"), method: "POST", path: kind.path(namespace: namespace), query: Self.query(options),
        contentType: "application/json", body: object.serialised(), isRepeatable: false), kind, options)
  }

  package func update(
    _ kind: ResourceDefinition, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await write(
      APIRequest(
        call: kind.call("update", subresource), method: "PUT",
        path: kind.path(namespace: key.namespace, name: key.name, subresource: subresource?.rawValue),
        query: Self.query(options), contentType: "application/json", body: object.serialised(), isRepeatable: false),
      kind, options)
  }

  package func patch(
    _ kind: ResourceDefinition, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    var request = APIRequest(
      call: kind.call("patch", subresource), method: "PATCH",
      path: kind.path(namespace: key.namespace, name: key.name, subresource: subresource?.rawValue),
      query: Self.query(options), isRepeatable: true)
    switch patch {
    case .merge(let document):
      request.contentType = "application/merge-patch+json"
      request.body = document.serialised()
    case .json(let operations):
      request.contentType = "application/json-patch+json"
      request.body = operations.serialised()
      // To append twice is not to append once.
      request.isRepeatable = false
    case .apply(let configuration, let force):
      request.contentType = "application/apply-patch+yaml"
      request.body = configuration.serialised()
      if force { request.query.append(("force", "true")) }
    }
    return try await write(request, kind, options)
  }

  /// What the server answers: the object while something holds it, else a Status.
  func delete(_ kind: ResourceDefinition, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> JSONValue
  {
    var body: JSONValue = [
      "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": .string(options.propagation.rawValue),
    ]
    if options.isDryRun { body["dryRun"] = ["All"] }
    var preconditions: JSONValue = [:]
    if let uid = options.preconditionUID { preconditions["uid"] = .string(uid) }
    if let version = options.preconditionResourceVersion { preconditions["resourceVersion"] = .string(version) }
    if preconditions != [:] { body["preconditions"] = preconditions }
    let answer = try await connection.send(
      APIRequest(
        call: kind.call("delete"), method: "DELETE", path: kind.path(namespace: key.namespace, name: key.name),
        contentType: "application/json", body: body.serialised(), isRepeatable: options.preconditionUID != nil))
    return try Self.json(answer)
  }

  func write(_ request: APIRequest, _ kind: ResourceDefinition, _ options: WriteOptions) async throws(APIStatus)
    -> WriteResult
  {
    var request = request
    request.user = options.user.map { ProxiedUser(name: $0, groups: options.groups) }
    let answer = try await connection.send(request)
    return WriteResult(
      object: try Self.object(answer, of: kind), isCreated: answer.status == 201,
      warnings: answer.fields.filter { $0.name.lowercased() == "warning" }.compactMap { Self.warning($0.value) })
  }

  static func query(_ options: WriteOptions) -> [(name: String, value: String)] {
    var query = [(name: "fieldValidation", value: options.fieldValidation.rawValue)]
    if !options.fieldManager.isEmpty { query.append(("fieldManager", options.fieldManager)) }
    if options.isDryRun { query.append(("dryRun", "All")) }
    return query
  }

  /// The text of a `Warning` field: `299 - "text"` (RFC 7234, section 5.5).
  private static func warning(_ field: String) -> String? {
    guard let start = field.firstIndex(of: "\"") else { return nil }
    var text = ""
    var isEscaped = false
    for character in field[field.index(after: start)...] {
      if isEscaped {
        text.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        return text
      } else {
        text.append(character)
      }
    }
    return nil
  }

  private static func json(_ answer: HTTPAnswer) throws(APIStatus) -> JSONValue {
    do {
      return try JSONValue(parsing: answer.body)
    } catch {
      throw .unreadable("\(error)")
    }
  }

  static func object(_ answer: HTTPAnswer, of kind: ResourceDefinition) throws(APIStatus) -> JSONValue {
    identified(try json(answer), as: kind)
  }

  /// With apiVersion and kind, which servers leave out in lists of their own kinds.
  static func identified(_ object: JSONValue, as kind: ResourceDefinition) -> JSONValue {
    guard object["kind"] == nil || object["apiVersion"] == nil else { return object }
    var object = object
    object["kind"] = .string(kind.kind)
    object["apiVersion"] = .string(kind.apiVersion)
    return object
  }
}
