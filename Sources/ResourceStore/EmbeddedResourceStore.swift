public import Documents
internal import Encryption
internal import Glibc
public import Logging
public import Resources
internal import SQLite
internal import Threads

/// The gateway's own resource backend: one SQLite file (`resources.db`) in a directory that it holds alone.
///
/// A write is on disk (WAL, fsync at each commit) before it is answered and before any watcher hears of it. Versions
/// come from one counter over all kinds that never goes back. SQLite runs on a thread of the store's own; writes that
/// wait at the same time share one transaction and its fsync.
public actor EmbeddedResourceStore: EncodedObjectSource {
  /// What is kept, and for how long.
  public struct Retention: Sendable {
    /// Changes that a watch can start from.
    public var changes = 4_096
    public var changeAge = Duration.seconds(3_600)
    /// Bytes of objects among these changes.
    public var changeBytes: Int64 = 16 << 20
    /// Events since they last happened.
    public var eventAge = Duration.seconds(3_600)
    public var events = 2_000
    /// The size of the database that no write may go beyond.
    public var databaseBytes: Int64 = 1 << 30
    public init() {}
  }

  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  public nonisolated let definitions: [ResourceDefinition]
  let directory: String
  let kinds: [ResourceName: ServedKind]
  let kindsByText: [String: ServedKind]
  let table: ObjectTable
  let watchers = WatcherTable()
  let retention: Retention
  let clock: @Sendable () -> Timestamp
  private let lock: DirectoryLock
  // Validation and apply recurse as deep as an object nests: 128 levels.
  private nonisolated let thread = BlockingThread(stackBytes: 4 << 20)
  var cache = ObjectCache(capacity: 1 << 20)
  var recent: RecentChanges
  /// Writes for the next commits.
  var waiting: [WaitingWrite] = []
  var commitIsScheduled = false
  /// Transactions that were committed for writes; fewer than the writes where these shared some.
  public internal(set) var commits: UInt64 = 0
  /// What the log holds, more or less: counted anew at each compaction.
  var logBytes: Int64
  /// The newest version given out.
  var version: UInt64
  /// Watches can start from here on.
  var compacted: UInt64

  /// Opens or makes the store in `directory`. Serves `definitions` and the built-in kinds; `crds` are what the
  /// read-only customresourcedefinitions show. Throws ``StoreError`` with one line for people.
  ///
  /// A file that fails SQLite's quick_check is moved aside (`resources.db.corrupt-<time>`), and a fresh one made whose
  /// versions continue far above any that the old one gave out.
  ///
  /// Secrets are encrypted under the keys in `secretKeyFile` (absent: `secrets.key` in `directory`), which is made where
  /// there is none and no Secret either.
  public static func open(
    directory: String, definitions: [ResourceDefinition], crds: [JSONValue] = [], secretKeyFile: String? = nil,
    retention: Retention = Retention(),
    logger: Logger = Logger(label: "selvedge.resources"),
    clock: @escaping @Sendable () -> Timestamp = EmbeddedResourceStore.systemClock
  ) throws -> EmbeddedResourceStore {
    let lock = try DirectoryLock(directory: directory)
    do {
      var table = try StoreFile.open(directory: directory, logger: logger, now: clock())
      try table.limit(bytes: retention.databaseBytes)
      let isSealed = try BuiltInKinds.confidential.contains { try table.holdsAny(of: $0) }
      let keys = try SecretKeys(path: secretKeyFile ?? "\(directory)/secrets.key", mayCreate: !isSealed)
      for resource in BuiltInKinds.confidential { table.ciphers[resource] = SecretCipher(keys: keys) }
      let count = try table.sealAnew()
      if count > 0 {
        logger.notice("secrets encrypted anew under the newest key", metadata: ["rows": "\(count)"])
      }
      return try EmbeddedResourceStore(
        directory: directory, lock: lock, table: table, definitions: definitions + BuiltInKinds.all,
        retention: retention, clock: clock, crds: crds)
    } catch let error as EncryptionError {
      throw StoreError(message: error.message)
    } catch let error as SQLiteError {
      throw StoreError(message: "cannot open the resource database in \(directory): \(StoreFile.advice(error))")
    } catch let error as APIStatus {
      throw StoreError(message: "cannot prepare the resource database in \(directory): \(error.message)")
    }
  }

  private init(
    directory: String, lock: DirectoryLock, table: ObjectTable, definitions: [ResourceDefinition], retention: Retention,
    clock: @escaping @Sendable () -> Timestamp, crds: [JSONValue]
  ) throws {
    self.directory = directory
    self.lock = lock
    self.table = table
    self.definitions = definitions
    self.retention = retention
    self.clock = clock
    var kinds: [ResourceName: ServedKind] = [:]
    let opened = try table.counter("version")
    for definition in definitions {
      let hash = ServedKind.hash(of: definition)
      let adopted = try table.schemaAdopted(definition.name.description, hash: hash, now: opened)
      kinds[definition.name] = try ServedKind(definition, adopted: adopted)
    }
    self.kinds = kinds
    kindsByText = Dictionary(uniqueKeysWithValues: kinds.map { ($0.key.description, $0.value) })
    version = opened
    compacted = try table.counter("compacted")
    logBytes = try table.logBytes()
    // Nobody else can see the actor yet; what every store holds from the start is written before it is handed out.
    var start = StartingObjects(table: table, kinds: kinds, version: version, now: clock())
    try start.write(crds: crds)
    version = start.version
    recent = RecentChanges(since: start.version)
  }

  /// The system's real-time clock.
  public static let systemClock: @Sendable () -> Timestamp = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// The newest version that the store has given out.
  public var currentVersion: UInt64 { version }

  /// How many watches are open.
  public nonisolated var watcherCount: Int { watchers.count }

  /// How many events a watch may be behind before it is cut off.
  public static let watcherCapacity = WatcherTable.capacity

  /// Ends every watch. The store can be used on; it closes when it is released.
  public func endWatches() { watchers.finishAll() }

  // MARK: Reading

  public func get(_ resource: ResourceName, _ key: ObjectKey) throws(APIStatus) -> JSONValue {
    let kind = try kind(resource, verb: "get")
    return try existing(kind, key)
  }

  // MARK: Shared by the write paths

  func kind(_ resource: ResourceName, verb: String) throws(APIStatus) -> ServedKind {
    guard let kind = kinds[resource] else { throw .noSuchPath }
    guard kind.definition.verbs.contains(verb) else {
      throw APIStatus(
        code: 405, reason: "MethodNotAllowed", message: "\(verb) is not supported on resources of kind \"\(resource)\"",
        group: resource.group, kind: resource.plural)
    }
    return kind
  }

  func found(_ kind: ServedKind, _ key: ObjectKey) throws(APIStatus) -> JSONValue? {
    try guarded {
      guard let row = try table.row(kind.name, key) else { return nil }
      return try decoded(kind, row.key, row.version, { row.body })
    }
  }

  func existing(_ kind: ServedKind, _ key: ObjectKey) throws(APIStatus) -> JSONValue {
    guard let object = try found(kind, key) else { throw .notFound(kind.name, name: key.name) }
    return object
  }

  func decoded(
    _ kind: ServedKind, _ key: ObjectKey, _ version: UInt64, _ body: () throws -> [UInt8]
  ) throws -> JSONValue {
    let place = ObjectCache.Place(resource: kind.name, key: key)
    if let cached = cache.object(at: place, version: version) { return cached }
    let bytes = try body()
    let object = kind.schema.defaulting(try JSONValue(parsing: bytes))
    cache.keep(object, at: place, version: version, size: bytes.count)
    return object
  }

  func check(_ selector: FieldSelector?, _ kind: ServedKind) throws(APIStatus) {
    for requirement in selector?.requirements ?? [] {
      let path = requirement.path
      guard path == "metadata.name" || path == "metadata.namespace" || kind.definition.selectableFields.contains(path)
      else {
        throw .badRequest("field label not supported: \(path)")
      }
    }
  }

  /// Runs database work; whatever it throws becomes what a client is told.
  func guarded<Result>(_ body: () throws -> Result) throws(APIStatus) -> Result {
    do { return try body() } catch { throw StoreFile.status(for: error) }
  }
}
