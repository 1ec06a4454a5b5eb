import Documents
import Resources
import Synchronization

/// A caller who knows what it takes where answers get lost: it asks again what was refused for a while or not answered,
/// and looks whether a write that was not answered has been made. It knows what it has written, too, and asks again where
/// it is shown what was there before: of a kind that is followed, reads are answered from the cache while the server is
/// away.
///
/// That can be told because nobody else writes, and because it looks before, too. What cannot: a JSON patch made twice, a
/// patch that takes the last finalizer away and with it the object, and the warnings of a write whose answer is lost.
final class PatientCaller: ResourceBackend {
  private struct Written {
    /// The version that each object was last written at.
    var versions: [ResourceName: [ObjectKey: UInt64]] = [:]
    var newest: [ResourceName: UInt64] = [:]
    var gone: Set<String> = []
  }

  private static let patience = Duration.seconds(60)
  private let backend: any ResourceBackend
  private let written = Mutex(Written())
  var definitions: [ResourceDefinition] { backend.definitions }

  init(_ backend: any ResourceBackend) { self.backend = backend }

  /// - Parameter body: is told whether an attempt before it may have been carried out.
  private func patiently<Result>(
    _ body: (_ mayBeDone: Bool) async throws(APIStatus) -> Result
  ) async throws(APIStatus) -> Result {
    let deadline = ContinuousClock.now + Self.patience
    var mayBeDone = false
    while true {
      do throws(APIStatus) {
        return try await body(mayBeDone)
      } catch {
        guard [429, 500, 503].contains(error.code), ContinuousClock.now < deadline else { throw error }
        if error.reason == "ServerUnreachable" { mayBeDone = true }
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  private func exists(_ resource: ResourceName, _ key: ObjectKey) async -> Bool {
    do throws(APIStatus) {
      _ = try await get(resource, key)
      return true
    } catch {
      return false
    }
  }

  private func note(_ result: WriteResult, _ resource: ResourceName, _ options: WriteOptions) -> WriteResult {
    guard !options.isDryRun, let version = UInt64(result.object.metadata.resourceVersion) else { return result }
    written.withLock { written in
      written.newest[resource] = max(written.newest[resource] ?? 0, version)
      // What is being deleted may be gone by now.
      written.versions[resource, default: [:]][result.object.objectKey] =
        result.object.metadata.deletionTimestamp == nil ? version : nil
    }
    return result
  }

  /// Reads until what is read is not older than what was written.
  private func current<Result>(
    _ isCurrent: (Swift.Result<Result, APIStatus>, Written) -> Bool, _ read: () async throws(APIStatus) -> Result
  ) async throws(APIStatus) -> Result {
    let deadline = ContinuousClock.now + Self.patience
    while true {
      let result: Swift.Result<Result, APIStatus>
      do throws(APIStatus) {
        result = .success(try await patiently { _ throws(APIStatus) in try await read() })
      } catch {
        result = .failure(error)
      }
      if written.withLock({ isCurrent(result, $0) }) || ContinuousClock.now > deadline { return try result.get() }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try await current { result, written in
      let version = written.versions[resource]?[key]
      switch result {
      case .success(let object):
        return !written.gone.contains(object.metadata.uid)
          && UInt64(object.metadata.resourceVersion) ?? 0 >= version ?? 0
      case .failure(let status): return status.code != 404 || version == nil
      }
    } _: { () async throws(APIStatus) in
      try await backend.get(resource, key)
    }
  }

  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try await current { result, written in
      guard case .success(let list) = result, options.continueToken == nil, options.exactVersion == nil else {
        return true
      }
      return list.resourceVersion >= written.newest[resource] ?? 0
        && !list.items.contains { written.gone.contains($0.metadata.uid) }
    } _: { () async throws(APIStatus) in
      try await backend.list(resource, options)
    }
  }

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    try await patiently { _ throws(APIStatus) in try await backend.watch(resource, options, since: resourceVersion) }
  }

  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    let key = ObjectKey(namespace: namespace, name: object.metadata.name)
    let wasThere = key.name.isEmpty || options.isDryRun ? true : await exists(resource, key)
    return try await patiently { mayBeDone throws(APIStatus) in
      do throws(APIStatus) {
        return note(
          try await backend.create(resource, namespace: namespace, object, options), resource, options)
      } catch {
        guard mayBeDone, !wasThere, error.reason == "AlreadyExists" else { throw error }
        return note(WriteResult(object: try await backend.get(resource, key), isCreated: true), resource, options)
      }
    }
  }

  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await patiently { mayBeDone throws(APIStatus) in
      do throws(APIStatus) {
        return note(
          try await backend.update(resource, key, object, subresource: subresource, options), resource, options)
      } catch {
        guard mayBeDone, !options.isDryRun, error.reason == "Conflict" else { throw error }
        let stored = try await backend.get(resource, key)
        guard stored.metadata.uid == object.metadata.uid, Self.holds(stored, object, subresource) else { throw error }
        return note(WriteResult(object: stored), resource, options)
      }
    }
  }

  /// Whether an object is what an update was to make it.
  private static func holds(_ stored: JSONValue, _ wanted: JSONValue, _ subresource: Subresource?) -> Bool {
    if subresource == .status { return stored["status"] == wanted["status"] }
    return stored["spec"] == wanted["spec"] && stored.metadata.labels == wanted.metadata.labels
      && stored.metadata.annotations == wanted.metadata.annotations
  }

  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    if case .json = patch {
      return note(
        try await backend.patch(resource, key, patch, subresource: subresource, options), resource, options)
    }
    var isNew = false
    if case .apply = patch { isNew = await !exists(resource, key) }
    var result = try await patiently { _ throws(APIStatus) in
      try await backend.patch(resource, key, patch, subresource: subresource, options)
    }
    if isNew { result.isCreated = true }
    return note(result, resource, options)
  }

  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    let last = try await get(resource, key)
    let (object, isGone) = try await patiently { mayBeDone throws(APIStatus) in
      do throws(APIStatus) {
        return try await backend.delete(resource, key, options)
      } catch {
        guard mayBeDone, !options.isDryRun, error.code == 404 else { throw error }
        return (object: last, isGone: true)
      }
    }
    if !options.isDryRun {
      written.withLock { written in
        written.versions[resource]?[key] = nil
        if isGone { written.gone.insert(last.metadata.uid) }
      }
    }
    return (object, isGone)
  }
}
