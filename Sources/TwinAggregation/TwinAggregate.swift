package import Documents
package import Resources
internal import Synchronization

/// The twins of all gateways as a resource backend: reads are answered from what was heard, whatever gateways are away;
/// changes and parts are asked of the gateway that holds the twin.
package final class TwinAggregate: SubresourceBackend, AdvisingBackend {
  /// What was asked of gateways on behalf of clients, by what came of it.
  package enum Outcome: String, Sendable, CaseIterable { case answered, refused, unreachable }

  private struct State {
    var twins: MergedTwins
    var holders: [String: any TwinHolder] = [:]
    var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var nextWatcher: UInt64 = 0
    var outcomes: [Outcome: UInt64] = [:]
  }

  let kind: ResourceDefinition
  private let state: Mutex<State>

  /// - Parameter kind: the twins, as one gateway serves them.
  package init(_ kind: ResourceDefinition, twins: MergedTwins) {
    self.kind = Self.definition(of: kind)
    state = Mutex(State(twins: twins))
  }

  package var definitions: [ResourceDefinition] { [kind] }
  package var figures: MergedTwins.Figures { state.withLock { $0.twins.figures } }
  package var outcomes: [Outcome: UInt64] { state.withLock(\.outcomes) }
  package var watchers: Int { state.withLock(\.watchers.count) }

  /// With what the collection adds: which gateway a twin comes from, and since when that is away.
  static func definition(of kind: ResourceDefinition) -> ResourceDefinition {
    var kind = kind
    let added: [(name: String, field: String, schema: JSONValue)] = [
      ("Gateway", "gateway", ["type": "string", "description": "The gateway that the twin comes from."]),
      (
        "Stale", "staleSince",
        [
          "type": "string", "format": "date-time",
          "description": "Since when that gateway is away: the twin is as it was last heard. Absent: it is there.",
        ]
      ),
    ]
    let age = kind.columns.lastIndex { $0.name == "Age" } ?? kind.columns.count
    kind.columns.insert(
      contentsOf: added.map { name, field, schema in
        .init(
          name: name, type: "string", description: schema["description"]?.string ?? "", jsonPath: ".status.\(field)")
      }, at: age)
    let fields = JSONValue.object(Dictionary(uniqueKeysWithValues: added.map { ($0.field, $0.schema) }))
    kind.schema = kind.schema.merging(["properties": ["status": ["properties": fields]]])
    return kind
  }

  // MARK: What is heard

  /// Changes the collection and wakes who watches it.
  @discardableResult
  package func change<Result>(_ body: (inout MergedTwins) -> Result) -> Result {
    state.withLock { state in
      let before = state.twins.version
      defer { if state.twins.version != before { for watcher in state.watchers.values { watcher.yield() } } }
      return body(&state.twins)
    }
  }

  package func read<Result>(_ body: (MergedTwins) -> Result) -> Result { state.withLock { body($0.twins) } }

  /// Where changes of a gateway's twins are sent; nil: it is no more.
  package func set(_ holder: (any TwinHolder)?, of gateway: String) {
    state.withLock { $0.holders[gateway] = holder }
  }

  /// Wakes who watches, so that each is told how far it is.
  package func remind() { state.withLock { for watcher in $0.watchers.values { watcher.yield() } } }

  func register() -> (id: UInt64, signal: AsyncStream<Void>) {
    let (signal, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    return (id, signal)
  }

  func unregister(_ id: UInt64) { _ = state.withLock { $0.watchers.removeValue(forKey: id) } }

  // MARK: Reading

  func check(_ resource: ResourceName, _ subresource: Subresource? = nil) throws(APIStatus) {
    // Gateways alone write a twin's status.
    guard resource == kind.name, subresource == nil else { throw .noSuchPath }
  }

  package func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try check(resource)
    guard let object = read({ $0.object(key) }) else { throw .notFound(resource, name: key.name) }
    return object
  }

  package func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try check(resource)
    // Of a copy: whoever brings news does not wait for the reading of many texts.
    return state.withLock { $0.twins }.list(options)
  }

  package func advice(_ resource: ResourceName, namespace: String?, key: ObjectKey?) -> [String] {
    read { $0.advice(namespace: namespace, key: key) }
  }

  package func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    try check(resource)
    if let since = resourceVersion,
      let (oldest, newest) = read({ twins -> (UInt64, UInt64)? in
        since < twins.oldest || since > twins.version ? (twins.oldest, twins.version) : nil
      })
    {
      throw .expired("too old resource version: \(since) (\(oldest) to \(newest)); list the twins again")
    }
    let watch = TwinAggregateWatch(self, options, since: resourceVersion)
    return AsyncStream(unfolding: { await watch.next() })
  }

  // MARK: For forwarding

  /// The gateway that holds a twin, and how to ask it.
  func holder(of key: ObjectKey) throws(APIStatus) -> (holder: any TwinHolder, shown: MergedTwins.Shown) {
    let found = state.withLock { state in
      state.twins.shown[key].map { shown in (state.holders[shown.gateway], shown) }
    }
    guard let (holder, shown) = found else { throw .notFound(kind.name, name: key.name) }
    guard let holder else { throw Self.unavailable(kind, key, "gateway \"\(shown.gateway)\" is not asked any more") }
    return (holder, shown)
  }

  func note(_ outcome: Outcome) { state.withLock { $0.outcomes[outcome, default: 0] += 1 } }

  static func unavailable(_ kind: ResourceDefinition, _ key: ObjectKey, _ message: String) -> APIStatus {
    // Without a word of when to ask again, so that clients tell their users at once.
    APIStatus(
      code: 503, reason: "ServiceUnavailable", message: "\(kind.plural) \"\(key.name)\": \(message)", name: key.name,
      group: kind.group, kind: kind.plural)
  }
}
