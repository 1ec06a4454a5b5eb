internal import Documents
internal import Logging
internal import Resources
internal import Threads

/// What a gateway knows of the cluster's objects: kept on disk, told to who watches, and all there is while the API
/// server is away.
///
/// Followers bring the news. They are stored in groups; a watch from the version that is stored with them tells again
/// what a crash lost. SQLite runs on a thread of its own.
actor ClusterCache: FollowedCopy {
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// A kind that is followed, by the selector of each of its scopes.
  struct Followed: Sendable {
    var definition: ResourceDefinition
    var selectors: [String]
  }

  struct Kind {
    let definition: ResourceDefinition
    let selectors: [String]
    var index: ScopeIndex
    /// The versions that the scopes were followed up to; nil: not read whole yet.
    var versions: [UInt64?]
    /// The scopes that were read whole at some time.
    var known: [Bool] = []
    /// The scopes that were heard of since the start, or that cannot be and are known from before.
    var settled: [Bool]
    /// The newest version of any object or bookmark.
    var newest: UInt64 = 0
    var subscribers: [UInt64: Subscriber] = [:]
    var isSettled: Bool { settled.allSatisfy(\.self) }
  }

  private nonisolated let thread = BlockingThread(stackBytes: 2 << 20)
  private let file: CacheFile
  private let logger: Logger
  var kinds: [ResourceName: Kind] = [:]
  private var waiting: [AsyncStream<Void>.Continuation] = []
  var nextSubscriber: UInt64 = 0
  private var isFaulty = false
  private var unstored = 0
  /// Changes when news were lost on their way to the disk: who follows must read everything again.
  private(set) var epoch = 0

  /// Changes that are stored together at most.
  private static let group = 512

  /// Opens or makes `cluster.db` in `directory`.
  static func open(
    directory: String, identity: String, secretKeyFile: String, followed: [Followed], logger: Logger
  ) throws(CacheError) -> ClusterCache {
    let file = try CacheFile.open(
      path: "\(directory)/cluster.db", identity: identity, secretKeyFile: secretKeyFile)
    do {
      return try ClusterCache(file: file, followed: followed, logger: logger)
    } catch {
      throw CacheError(message: "cannot read the cluster cache in \(directory): \(error)")
    }
  }

  private init(file: CacheFile, followed: [Followed], logger: Logger) throws {
    self.file = file
    self.logger = logger
    for kind in followed {
      let resource = kind.definition.name
      var known = Kind(
        definition: kind.definition, selectors: kind.selectors, index: ScopeIndex(scopes: kind.selectors.count),
        versions: [], settled: kind.selectors.map { _ in false })
      for (scope, selector) in kind.selectors.enumerated() {
        let name = ScopeName(resource: resource, index: scope)
        let version = try file.version(name, selector: selector)
        known.versions.append(version)
        known.known.append(version != nil)
        for (key, version) in try file.versions(in: name) {
          _ = known.index.put(key, version, in: scope)
          known.newest = max(known.newest, version)
        }
      }
      kinds[resource] = known
    }
  }

  // MARK: What followers bring

  func version(_ scope: ScopeName) -> UInt64? { kinds[scope.resource]?.versions[scope.index] }

  /// The scope shows this object.
  func put(_ object: JSONValue, _ version: UInt64, in scope: ScopeName) {
    let key = object.objectKey
    let wasHere = kinds[scope.resource]?.index.isKnown(key, in: scope.index) ?? false
    guard let verdict = kinds[scope.resource]?.index.put(key, version, in: scope.index), verdict != .past
    else { return }
    note(version, scope)
    // What is stored already wears no flash.
    if verdict != .nothing || !wasHere || epoch > 0 { store { try $0.put(object, version, in: scope) } }
    switch verdict {
    case .added: tell(scope.resource, .added, object, version)
    case .modified: tell(scope.resource, .modified, object, version)
    case .deleted, .ask, .past, .nothing: break
    }
  }

  /// The scope does not show the object any more; whether only the server knows if it is elsewhere now.
  func remove(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) -> Bool {
    guard let verdict = kinds[scope.resource]?.index.remove(key, in: scope.index) else { return false }
    note(version, scope)
    if verdict == .ask { return true }
    finishRemoval(key, last, version, scope, verdict)
    return false
  }

  /// The server says that the object is nowhere that this gateway looks.
  func confirmGone(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) {
    guard let verdict = kinds[scope.resource]?.index.confirmGone(key, at: version, in: scope.index) else { return }
    finishRemoval(key, last, version, scope, verdict)
  }

  private func finishRemoval(
    _ key: ObjectKey, _ last: JSONValue?, _ version: UInt64, _ scope: ScopeName, _ verdict: ScopeIndex.Verdict
  ) {
    var object = last
    if verdict == .deleted, object == nil { object = try? file.object(scope.resource, key) }
    store { try $0.remove(key, in: scope) }
    guard verdict == .deleted else { return }
    tell(scope.resource, .deleted, object ?? ["metadata": Self.metadata(key)], version)
  }

  private static func metadata(_ key: ObjectKey) -> JSONValue {
    var metadata = ObjectMetadata()
    metadata.name = key.name
    metadata.namespace = key.namespace
    return metadata.json
  }

  /// The scope was read whole, and showed `seen`; answers what it knew besides: that is gone from it.
  func missing(besides seen: Set<ObjectKey>, in scope: ScopeName) -> Set<ObjectKey> {
    kinds[scope.resource]?.index.keys(in: scope.index).subtracting(seen) ?? []
  }

  /// The server does not know the version any more.
  func forgetVersion(_ scope: ScopeName) {
    kinds[scope.resource]?.versions[scope.index] = nil
    kinds[scope.resource]?.index.forgetEnds()
  }

  /// Everything up to this version was brought. False where news were lost since `epoch`: then nothing is kept.
  func reached(_ version: UInt64, in scope: ScopeName, epoch: Int) -> Bool {
    guard epoch == self.epoch, let selector = kinds[scope.resource]?.selectors[scope.index] else { return false }
    kinds[scope.resource]?.versions[scope.index] = version
    note(version, scope)
    store { try $0.setVersion(scope, selector: selector, version) }
    return epoch == self.epoch
  }

  /// The scope is followed now; or it cannot be, and what was known before has to do.
  func settle(_ scope: ScopeName, isLive: Bool) {
    guard let kind = kinds[scope.resource], !kind.settled[scope.index],
      isLive || kind.known[scope.index]
    else { return }
    kinds[scope.resource]?.settled[scope.index] = true
    for waiter in waiting { waiter.finish() }
    waiting.removeAll()
  }

  func isSettled(_ resource: ResourceName) -> Bool { kinds[resource]?.isSettled ?? false }

  /// Returns once the kind is settled, or the task is cancelled.
  func waitUntilSettled(_ resource: ResourceName) async {
    while !isSettled(resource), !Task.isCancelled {
      let (stream, waiter) = AsyncStream.makeStream(of: Void.self)
      waiting.append(waiter)
      for await _ in stream {}
    }
  }

  private func note(_ version: UInt64, _ scope: ScopeName) {
    if let newest = kinds[scope.resource]?.newest, version > newest { kinds[scope.resource]?.newest = version }
  }

  func newest(_ resource: ResourceName) -> UInt64 { kinds[resource]?.newest ?? 0 }

  // MARK: The disk

  /// What cannot be stored is told all the same. It leaves the file as it was: older, and whole.
  private func store(_ write: (CacheFile) throws -> Void) {
    do {
      try file.begin()
      try write(file)
      unstored += 1
      if unstored >= Self.group { try commit() }
    } catch {
      lost(error)
    }
  }

  private func commit() throws {
    unstored = 0
    try file.commit()
    if isFaulty { logger.notice("the cluster cache can be written again") }
    isFaulty = false
  }

  private func lost(_ error: any Error) {
    file.rollBack()
    unstored = 0
    epoch += 1
    for resource in kinds.keys {
      guard let count = kinds[resource]?.versions.count else { continue }
      kinds[resource]?.versions = Array(repeating: nil, count: count)
    }
    guard !isFaulty else { return }
    isFaulty = true
    logger.error(
      "the cluster cache cannot be written: a start without the API server would know an older state",
      metadata: ["error": "\(error)"])
  }

  /// Stores what is waiting.
  func flush() {
    guard unstored > 0 else { return }
    do { try commit() } catch { lost(error) }
  }

  /// Stores every other second until the task is cancelled, and then once more.
  func run() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(2))
      flush()
    }
  }

  // MARK: Reading

  func object(_ resource: ResourceName, _ key: ObjectKey) throws(APIStatus) -> JSONValue {
    do {
      if let object = try file.object(resource, key) { return object }
    } catch {
      throw .internalError("cluster cache: \(error)")
    }
    throw .notFound(resource, name: key.name)
  }

  func objects(_ resource: ResourceName) throws(APIStatus) -> [JSONValue] {
    do {
      return try file.objects(resource)
    } catch {
      throw .internalError("cluster cache: \(error)")
    }
  }

  func keys(_ resource: ResourceName) -> Set<ObjectKey> { kinds[resource]?.index.keys ?? [] }
}
