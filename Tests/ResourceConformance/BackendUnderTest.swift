public import Documents
public import Resources
import Testing

/// A backend with all that the rules need to know of it.
public struct BackendUnderTest: Sendable {
  /// What a backend may lack by its nature.
  public enum Ability: Sendable, Hashable, CaseIterable {
    /// Clients create and delete its objects, which are ``TestKinds``' widgets.
    case objects
    /// It serves namespaces that go with their content.
    case namespaces
    /// ``BackendUnderTest/compact`` forgets changes.
    case compaction
    /// A watcher is cut off after ``BackendUnderTest/watcherCapacity`` events.
    case cutsOff
    /// An update must say the version it is made for.
    case conditionalUpdates
    /// The answer comes: to a write, it tells what this very write did; to a read, it is the server's own. Where
    /// connections break, a caller must ask again, and not every write can be done twice.
    case answers
    /// A watch from nowhere begins with all that was written before, however the server fares.
    case promptWatches
  }

  public var backend: any ResourceBackend
  public var resource: ResourceName
  /// Exists, and holds nothing yet.
  public var namespace: String
  /// Brings an object of that name and those labels into being.
  public var bring: @Sendable (_ name: String, _ labels: [String: String]) async throws -> JSONValue
  /// Takes it away again.
  public var remove: @Sendable (_ name: String) async throws -> Void
  /// A merge patch that changes the `spec` of an object; another one for every number.
  public var change: @Sendable (Int) -> JSONValue
  /// The path, as JSON Pointer, of a field that ``change`` sets to a number.
  public var changedField: [String]
  /// Forgets the log of changes up to now.
  public var compact: @Sendable () async throws -> Void
  public var watcherCapacity: Int

  public init(
    backend: any ResourceBackend, resource: ResourceName, namespace: String, changedField: [String],
    change: @escaping @Sendable (Int) -> JSONValue, compact: @escaping @Sendable () async throws -> Void = {},
    watcherCapacity: Int = 0, bring: @escaping @Sendable (String, [String: String]) async throws -> JSONValue,
    remove: @escaping @Sendable (String) async throws -> Void
  ) {
    self.backend = backend
    self.resource = resource
    self.namespace = namespace
    self.changedField = changedField
    self.change = change
    self.compact = compact
    self.watcherCapacity = watcherCapacity
    self.bring = bring
    self.remove = remove
  }

  /// A backend that serves ``TestKinds`` and lets clients create them.
  public static func serving(
    widgets backend: any ResourceBackend, namespace: String = "default",
    watcherCapacity: Int = 0, compact: @escaping @Sendable () async throws -> Void = {}
  ) -> BackendUnderTest {
    BackendUnderTest(
      backend: backend, resource: TestKinds.widgets, namespace: namespace, changedField: ["spec", "size"],
      change: { ["spec": ["size": .integer(Int64(1 + $0 % 10))]] }, compact: compact, watcherCapacity: watcherCapacity,
      bring: { name, labels in
        try await backend.create(
          TestKinds.widgets, namespace: namespace, TestKinds.widget(name, ["size": 1], labels: labels), WriteOptions()
        ).object
      },
      remove: { name in
        _ = try await backend.delete(TestKinds.widgets, ObjectKey(namespace: namespace, name: name), DeleteOptions())
      })
  }

  // MARK: What the rules say often

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

  func get(_ name: String) async throws -> JSONValue { try await backend.get(resource, key(name)) }

  func names(_ options: ListOptions? = nil) async throws -> [String] {
    try await backend.list(resource, options ?? ListOptions(namespace: namespace)).items.map(\.metadata.name)
  }

  func version() async throws -> UInt64 {
    try await backend.list(resource, ListOptions(namespace: namespace, limit: 1)).resourceVersion
  }

  @discardableResult
  func create(_ object: JSONValue, _ options: WriteOptions = WriteOptions()) async throws -> JSONValue {
    try await backend.create(resource, namespace: namespace, object, options).object
  }

  @discardableResult
  func merge(
    _ name: String, _ patch: JSONValue, _ subresource: Subresource? = nil, _ options: WriteOptions = WriteOptions()
  ) async throws -> JSONValue {
    try await backend.patch(resource, key(name), .merge(patch), subresource: subresource, options).object
  }

  @discardableResult
  func update(
    _ name: String, _ object: JSONValue, _ subresource: Subresource? = nil, _ options: WriteOptions = WriteOptions()
  ) async throws -> JSONValue {
    try await backend.update(resource, key(name), object, subresource: subresource, options).object
  }

  @discardableResult
  func apply(
    _ object: JSONValue, by manager: String, force: Bool = false, _ subresource: Subresource? = nil,
    isDryRun: Bool = false
  ) async throws -> WriteResult {
    try await backend.patch(
      resource, key(object.metadata.name), .apply(object, force: force), subresource: subresource,
      WriteOptions(isDryRun: isDryRun, fieldManager: manager))
  }

  func watch(_ options: ListOptions? = nil, since version: UInt64?) async throws -> WatchRecord {
    WatchRecord(try await backend.watch(resource, options ?? ListOptions(namespace: namespace), since: version))
  }

  /// The Status with which `body` is refused; a body that succeeds is recorded as an issue.
  func refusal(
    of what: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
  ) async -> APIStatus {
    do {
      try await body()
    } catch {
      if let status = error as? APIStatus { return status }
      Issue.record("\(what): an error that is no Status: \(error)", sourceLocation: sourceLocation)
    }
    Issue.record("\(what): not refused", sourceLocation: sourceLocation)
    return APIStatus(code: 0, reason: "", message: "")
  }
}
