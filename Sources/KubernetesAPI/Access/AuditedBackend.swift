internal import Documents
internal import Resources
internal import Synchronization

/// A backend for the time of one write: notes what the write does to which object, and sees to it that nobody creates
/// by an update or a patch what they may not create.
struct AuditedBackend: ForwardingBackend, SubresourceBackend {
  let base: any ResourceBackend
  let trail: WriteTrail

  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    trail.note(isDryRun: options.isDryRun)
    let result = try await base.create(resource, namespace: namespace, object, options)
    trail.note(resource, from: nil, to: result.object, subresource: nil)
    return result
  }

  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    trail.note(isDryRun: options.isDryRun)
    let before = try await current(resource, key, mayCreate: true)
    let result = try await base.update(resource, key, object, subresource: subresource, options)
    trail.note(resource, from: before, to: result.object, subresource: subresource)
    return result
  }

  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    trail.note(isDryRun: options.isDryRun)
    var mayCreate = false
    if case .apply = patch { mayCreate = true }
    let before = try await current(resource, key, mayCreate: mayCreate)
    let result = try await base.patch(resource, key, patch, subresource: subresource, options)
    trail.note(resource, from: before, to: result.object, subresource: subresource)
    return result
  }

  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    trail.note(isDryRun: options.isDryRun)
    let result = try await base.delete(resource, key, options)
    trail.note(deleted: result.object)
    return result
  }

  func get(_ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ query: [QueryItem])
    async throws(APIStatus) -> JSONValue
  {
    try await parts().get(resource, key, subresource: subresource, query)
  }

  func create(
    _ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ object: JSONValue,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    trail.note(isDryRun: options.isDryRun)
    let result = try await parts().create(resource, key, subresource: subresource, object, options)
    let address: JSONValue = ["metadata": ["namespace": .string(key.namespace), "name": .string(key.name)]]
    trail.note(resource, from: nil, to: result.object.merging(address), subresource: nil)
    return result
  }

  private func parts() throws(APIStatus) -> any SubresourceBackend {
    guard let parts = base as? any SubresourceBackend else { throw .noSuchPath }
    return parts
  }

  /// The object before the write. Nil where there is none: where the write would make one, only who may create goes on.
  private func current(_ resource: ResourceName, _ key: ObjectKey, mayCreate: Bool) async throws(APIStatus)
    -> JSONValue?
  {
    do throws(APIStatus) {
      return try await base.get(resource, key)
    } catch {
      guard error.code == 404 else { throw error }
      if mayCreate { try trail.authorizeCreation() }
      return nil
    }
  }
}

/// What one write has done so far.
final class WriteTrail: Sendable {
  private let entry: Mutex<AuditEntry>
  private let access: AccessControl

  static let longestList = 32

  init(_ entry: AuditEntry, _ access: AccessControl) {
    self.entry = Mutex(entry)
    self.access = access
  }

  func note(isDryRun: Bool) { entry.withLock { $0.isDryRun = isDryRun } }

  func note(_ resource: ResourceName, from before: JSONValue?, to after: JSONValue, subresource: Subresource?) {
    let changes = FieldChanges(
      from: before, to: after, includesStatus: subresource == .status,
      isSecret: resource == ResourceName(group: "", plural: "secrets"))
    append(after, changes)
  }

  func note(deleted object: JSONValue) { append(object, FieldChanges(from: nil, to: nil)) }

  private func append(_ object: JSONValue, _ changes: FieldChanges) {
    let object = AuditEntry.Object(
      namespace: object[path: "metadata", "namespace"]?.string ?? "",
      name: object[path: "metadata", "name"]?.string ?? "", changes: changes)
    entry.withLock { entry in
      if entry.objects.count < Self.longestList { entry.objects.append(object) } else { entry.omittedObjects += 1 }
    }
  }

  /// 403 where the user may not create what an update or a patch is about to make.
  func authorizeCreation() throws(APIStatus) {
    let (user, attributes) = entry.withLock { ($0.user, $0.attributes) }
    var creation = attributes
    creation.verb = "create"
    try access.authorize(user, creation)
  }

  /// Hands the record over, once.
  func close(code: Int, reason: String) {
    access.audit(
      entry.withLock { entry in
        entry.code = code
        entry.reason = reason
        return entry
      })
  }
}
