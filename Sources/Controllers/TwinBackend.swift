public import DeviceKit
public import Documents
public import Resources
public import TwinStore

/// Serves the twins as resources: `twins` in `twin.selvedge.dev/v1alpha1`, read from memory, changed through
/// `spec.desired` alone. They come and go with their Devices.
public struct TwinBackend: SubresourceBackend {
  /// Applies a JSON Patch (RFC 6902), given first, to a document.
  public typealias JSONPatching = @Sendable (JSONValue, JSONValue) throws(APIStatus) -> JSONValue

  let twins: TwinStore
  let labels: @Sendable (DeviceKey) -> [String: String]
  let applyJSONPatch: JSONPatching
  let watchPeriod: Duration
  let bookmarkPeriod: Duration

  /// `labels` gives a twin its Device's labels. A watch tells of one twin at most once in `watchPeriod`, and of its own
  /// progress at least once in `bookmarkPeriod`.
  public init(
    twins: TwinStore, labels: @escaping @Sendable (DeviceKey) -> [String: String] = { _ in [:] },
    applyJSONPatch: @escaping JSONPatching, watchPeriod: Duration = .seconds(1),
    bookmarkPeriod: Duration = .seconds(60)
  ) {
    self.twins = twins
    self.labels = labels
    self.applyJSONPatch = applyJSONPatch
    self.watchPeriod = watchPeriod
    self.bookmarkPeriod = bookmarkPeriod
  }

  public var definitions: [ResourceDefinition] { [Self.definition] }

  func check(_ resource: ResourceName) throws(APIStatus) {
    guard resource == Self.definition.name else { throw .noSuchPath }
  }

  func snapshot(_ key: ObjectKey) throws(APIStatus) -> TwinSnapshot {
    guard let twin = twins.snapshot(DeviceKey(namespace: key.namespace, name: key.name)) else {
      throw .notFound(Self.definition.name, name: key.name)
    }
    return twin
  }

  func object(_ twin: TwinSnapshot) -> JSONValue { Self.object(twin, labels: labels(twin.device)) }

  public func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try check(resource)
    return object(try snapshot(key))
  }

  public func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try check(resource)
    let version = twins.version
    var items: [JSONValue] = []
    var last: DeviceKey?
    var remaining = 0
    let after = options.continueToken.map(Self.device)
    for device in twins.devices where after.map({ device > $0 }) ?? true {
      guard Self.isMeant(device, options), let twin = twins.snapshot(device) else { continue }
      let item = object(twin)
      guard matches(item, device, options) else { continue }
      if let limit = options.limit, limit > 0, items.count == limit {
        remaining += 1
        continue
      }
      items.append(item)
      last = device
    }
    return ObjectList(
      items: items, resourceVersion: version, continueToken: remaining > 0 ? last?.description : nil,
      remainingItemCount: remaining > 0 ? remaining : nil)
  }

  /// A continue token is the last device's `namespace/name`.
  private static func device(_ token: String) -> DeviceKey {
    let parts = token.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    return DeviceKey(namespace: parts.first ?? "", name: parts.count > 1 ? parts[1] : "")
  }

  static func isMeant(_ device: DeviceKey, _ options: ListOptions) -> Bool {
    guard let namespace = options.namespace, !namespace.isEmpty else { return true }
    return device.namespace == namespace
  }

  func matches(_ object: JSONValue, _ device: DeviceKey, _ options: ListOptions) -> Bool {
    (options.labelSelector?.matches(labels(device)) ?? true) && (options.fieldSelector?.matches(object) ?? true)
  }

  public func create(
    _ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource)
    throw Self.notAllowed("a Twin comes with its Device: create the Device")
  }

  public func delete(
    _ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions
  ) async throws(APIStatus) -> (object: JSONValue, isGone: Bool) {
    try check(resource)
    throw Self.notAllowed("a Twin goes with its Device: delete the Device")
  }

  private static func notAllowed(_ message: String) -> APIStatus {
    APIStatus(
      code: 405, reason: "MethodNotAllowed", message: message, group: definition.group, kind: definition.plural)
  }

  public func watch(
    _ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?
  ) async throws(APIStatus) -> AsyncStream<WatchEvent> {
    try check(resource)
    if let since = resourceVersion, since < twins.oldestResumableVersion || since > twins.version {
      throw .expired("too old resource version: \(since) (\(twins.oldestResumableVersion)); list the twins again")
    }
    let watch = TwinWatch(self, options, since: resourceVersion)
    return AsyncStream(unfolding: { await watch.next() })
  }
}
