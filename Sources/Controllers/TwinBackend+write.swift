internal import DeviceKit
public import Documents
public import Resources
internal import TwinStore

extension TwinBackend {
  public func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource, subresource)
    let current = try snapshot(key)
    let warnings = try checkFields(object, key, options)
    let changes = Self.changes(from: wishes(current), to: try desired(of: object, key) ?? [:])
    return try await write(changes, key, ifVersion: try version(of: object, key), options, warnings)
  }

  public func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource, subresource)
    let current = try snapshot(key)
    switch patch {
    case .merge(let document):
      guard document.object != nil else { throw .badRequest("a merge patch of a Twin is an object") }
      let warnings = try checkFields(document, key, options)
      let changes = try mergeChanges(document, wishes(current), key)
      return try await write(changes, key, ifVersion: try version(of: document, key), options, warnings)
    case .json(let operations):
      return try await patchJSON(operations, key, options)
    case .apply:
      throw APIStatus(
        code: 415, reason: "UnsupportedMediaType",
        message: "a Twin keeps no field owners: use a merge patch, or apply the Device's spec.desired",
        name: key.name, group: Self.definition.group, kind: Self.definition.plural)
    }
  }

  private func check(_ resource: ResourceName, _ subresource: Subresource?) throws(APIStatus) {
    try check(resource)
    // The gateway alone writes a twin's status.
    guard subresource == nil else { throw .noSuchPath }
  }

  /// A JSON Patch may test what it changes: it is applied to one version and made on that version alone, anew if
  /// desired values changed meanwhile.
  private func patchJSON(_ operations: JSONValue, _ key: ObjectKey, _ options: WriteOptions) async throws(APIStatus)
    -> WriteResult
  {
    var attempt = 0
    while true {
      let current = try snapshot(key)
      let before = object(current)
      let after = try applyJSONPatch(operations, before)
      let warnings = try checkFields(after, key, options)
      let asked = try version(of: after, key)
      let changes = Self.changes(from: wishes(current), to: try desired(of: after, key) ?? [:])
      do throws(APIStatus) {
        return try await write(changes, key, ifVersion: asked ?? current.version, options, warnings)
      } catch {
        attempt += 1
        guard error.reason == "Conflict", asked == current.version, attempt < 5 else { throw error }
      }
    }
  }

  // MARK: What a body asks for

  private func wishes(_ twin: TwinSnapshot) -> [String: JSONValue] {
    var wishes: [String: JSONValue] = [:]
    for property in twin.properties { wishes[property.name] = property.desired?.value }
    return wishes
  }

  /// What differs; null for what is gone.
  private static func changes(from before: [String: JSONValue], to after: [String: JSONValue]) -> [String: JSONValue] {
    var changes: [String: JSONValue] = [:]
    for name in before.keys where after[name] == nil { changes[name] = .null }
    for (name, value) in after where before[name] != value { changes[name] = value }
    return changes
  }

  /// RFC 7386: every member that the patch names counts as asked for, even where it is what was desired before.
  private func mergeChanges(
    _ document: JSONValue, _ wishes: [String: JSONValue], _ key: ObjectKey
  ) throws(APIStatus) -> [String: JSONValue] {
    guard let spec = document["spec"] else { return [:] }
    let all = wishes.mapValues { _ in JSONValue.null }
    if spec.isNull { return all }
    guard spec.object != nil else { throw invalid(key, field: "spec", "takes an object") }
    guard let desired = spec["desired"] else { return [:] }
    if desired.isNull { return all }
    guard case .object(let members) = desired else { throw invalid(key, field: "spec.desired", "takes an object") }
    var changes: [String: JSONValue] = [:]
    for (name, change) in members {
      changes[name] = change.object == nil ? change : (wishes[name] ?? .null).merging(change)
    }
    return changes
  }

  private func desired(of object: JSONValue, _ key: ObjectKey) throws(APIStatus) -> [String: JSONValue]? {
    guard object.object != nil else { throw .badRequest("a Twin is an object") }
    guard let spec = object["spec"], !spec.isNull else { return nil }
    guard spec.object != nil else { throw invalid(key, field: "spec", "takes an object") }
    guard let desired = spec["desired"], !desired.isNull else { return nil }
    guard case .object(let members) = desired else { throw invalid(key, field: "spec.desired", "takes an object") }
    return members
  }

  /// The version on which the body makes itself conditional. What is no version of ours is a conflict too.
  private func version(of object: JSONValue, _ key: ObjectKey) throws(APIStatus) -> UInt64? {
    guard let text = object["metadata"]?["resourceVersion"], !text.isNull, text != "" else { return nil }
    guard let version = text.string.flatMap(UInt64.init) else {
      throw .conflict(Self.definition.name, name: key.name)
    }
    return version
  }

  /// Refuses a body of another object; names the fields that a Twin does not have.
  private func checkFields(_ object: JSONValue, _ key: ObjectKey, _ options: WriteOptions) throws(APIStatus) -> [String]
  {
    if let name = object["metadata"]?["name"]?.string, name != key.name {
      throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(key.name))")
    }
    if let namespace = object["metadata"]?["namespace"]?.string, namespace != key.namespace {
      throw .badRequest(
        "the namespace of the object (\(namespace)) does not match the namespace on the URL (\(key.namespace))")
    }
    if let uid = object["metadata"]?["uid"]?.string, try uid != snapshot(key).uid {
      throw .conflict(Self.definition.name, name: key.name)
    }
    guard options.fieldValidation != .ignore else { return [] }
    let known: Set = ["apiVersion", "kind", "metadata", "spec", "status"]
    var unknown = (object.object ?? [:]).keys.filter { !known.contains($0) }
    unknown += (object["spec"]?.object ?? [:]).keys.filter { $0 != "desired" }.map { "spec.\($0)" }
    let texts = unknown.sorted().map { "unknown field \"\($0)\"" }
    if options.fieldValidation == .strict, !texts.isEmpty {
      throw .badRequest("strict decoding error: \(texts.joined(separator: ", "))")
    }
    return texts
  }

  // MARK: The change

  private func write(
    _ changes: [String: JSONValue], _ key: ObjectKey, ifVersion: UInt64?, _ options: WriteOptions, _ warnings: [String]
  ) async throws(APIStatus) -> WriteResult {
    let device = DeviceKey(namespace: key.namespace, name: key.name)
    do throws(TwinError) {
      if options.isDryRun {
        try twins.checkDesired(changes, of: device, ifVersion: ifVersion)
      } else {
        let twin = try await twins.setDesired(
          changes, of: device, from: .local(user: options.fieldManager), ifVersion: ifVersion)
        return WriteResult(object: object(twin), warnings: warnings + Self.overruled(changes, in: twin))
      }
    } catch {
      throw status(error, key)
    }
    var result = object(try snapshot(key))
    let desired = result[path: "spec", "desired"] ?? [:]
    result["spec"] = ["desired": desired.merging(.object(changes))]
    return WriteResult(object: result, warnings: warnings)
  }

  /// What was asked for and is not desired, since the spec wins.
  private static func overruled(_ changes: [String: JSONValue], in twin: TwinSnapshot) -> [String] {
    guard twin.policy == .specWins else { return [] }
    return changes.sorted { $0.key < $1.key }.compactMap { name, value in
      guard let property = twin[name], let spec = property.specDesired else { return nil }
      if value.isNull {
        return "spec.desired.\(name): the Device's spec wishes \(spec) and wins: change the Device"
      }
      guard let drift = property.drift, drift.value == value else { return nil }
      return "spec.desired.\(name): the Device's spec wishes \(spec) and wins: \(value) by \(drift.by) is kept as "
        + "drift and not written"
    }
  }

  func status(_ error: TwinError, _ key: ObjectKey) -> APIStatus {
    switch error {
    case .notFound: .notFound(Self.definition.name, name: key.name)
    case .conflict: .conflict(Self.definition.name, name: key.name)
    case .invalid(let problems):
      .invalid(
        kind: Self.definition.kind, group: Self.definition.group, name: key.name,
        causes: problems.map {
          .init(reason: "FieldValueInvalid", message: $0.message, field: "spec.desired.\($0.property)")
        })
    case .refused(let refusal): Self.status(refusal, key)
    case .storage: .internalError(error.description)
    case .closed:
      APIStatus(
        code: 503, reason: "ServiceUnavailable", message: error.description, retryAfterSeconds: 5)
    }
  }

  func invalid(_ key: ObjectKey, field: String, _ message: String) -> APIStatus {
    .invalid(
      kind: Self.definition.kind, group: Self.definition.group, name: key.name,
      causes: [.init(reason: "FieldValueTypeInvalid", message: message, field: field)])
  }
}
