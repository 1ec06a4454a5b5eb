internal import Documents
internal import Resources
internal import SQLite

/// The database of one store: objects, their owners, the log of changes and the version counter. Its owner serialises
/// the calls.
struct ObjectTable {
  struct Row {
    var key: ObjectKey
    var version: UInt64
    var body: [UInt8]
  }
  struct Change {
    var version: UInt64
    var kind: WatchEvent.Change
    var object: JSONValue
    /// The state before, where a selector may see a difference; nil: as `object`.
    var previous: JSONValue?
  }
  let connection: Connection
  /// Of the kinds whose bodies do not lie on the disk in clear.
  var ciphers: [ResourceName: any BodyCipher] = [:]

  private static let migrations = [
    """
    CREATE TABLE objects (
      id INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL,
      version INTEGER NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (resource, namespace, name));
    CREATE UNIQUE INDEX objects_uid ON objects (uid);
    CREATE TABLE owners (
      owner TEXT NOT NULL, object INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
      PRIMARY KEY (owner, object)) WITHOUT ROWID;
    CREATE INDEX owners_object ON owners (object);
    CREATE TABLE changes (
      version INTEGER PRIMARY KEY, time INTEGER NOT NULL, resource TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
      previous BLOB);
    CREATE INDEX changes_resource ON changes (resource, version);
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    """
  ]

  init(_ connection: Connection) { self.connection = connection }

  /// Brings the file to the current layout. A file of a newer program is refused.
  func migrate(firstVersion: UInt64) throws {
    let version = Int(try connection.userVersion)
    guard version <= Self.migrations.count else {
      throw StoreError(
        message: "the resource database has layout \(version), which is newer than this program: use a newer gateway")
    }
    for index in version..<Self.migrations.count {
      try connection.transaction {
        try connection.execute(Self.migrations[index])
        try connection.setUserVersion(Int64(index + 1))
      }
    }
    if version == 0 {
      try setCounter("version", firstVersion)
      try setCounter("compacted", firstVersion)
    }
  }

  /// Lets the file grow to so many bytes and no further; what it has already stays.
  func limit(bytes: Int64) throws(SQLiteError) {
    let size = try connection.statement("PRAGMA page_size")
    defer { size.reset() }
    guard try size.step() else { return }
    try connection.execute("PRAGMA max_page_count = \(max(bytes / size.integer(0), 1))")
  }

  func counter(_ name: String) throws(SQLiteError) -> UInt64 {
    let statement = try connection.statement("SELECT value FROM counters WHERE name = ?1")
    defer { statement.reset() }
    statement.bind(1, name)
    return try statement.step() ? UInt64(statement.integer(0)) : 0
  }

  func setCounter(_ name: String, _ value: UInt64) throws(SQLiteError) {
    let statement = try connection.statement("INSERT OR REPLACE INTO counters (name, value) VALUES (?1, ?2)")
    statement.bind(1, name)
    statement.bind(2, Int64(value))
    try statement.run()
  }

  func row(_ resource: ResourceName, _ key: ObjectKey) throws -> Row? {
    let statement = try connection.statement(
      "SELECT version, body FROM objects WHERE resource = ?1 AND namespace = ?2 AND name = ?3")
    defer { statement.reset() }
    statement.bind(1, resource.description)
    statement.bind(2, key.namespace)
    statement.bind(3, key.name)
    guard try statement.step() else { return nil }
    return Row(key: key, version: UInt64(statement.integer(0)), body: try opened(statement.blob(1), of: resource, key))
  }

  /// Visits the rows of a kind after `start`, sorted by namespace and name, until `visit` answers false. The second
  /// argument reads the body: it is only copied where it is asked for.
  func scan(
    _ resource: ResourceName, namespace: String?, after start: ObjectKey?,
    _ visit: (_ key: ObjectKey, _ version: UInt64, _ body: () throws -> [UInt8]) throws -> Bool
  ) throws {
    var sql = "SELECT namespace, name, version, body FROM objects WHERE resource = ?1"
    if namespace != nil { sql += " AND namespace = ?2" }
    if start != nil { sql += " AND (namespace, name) > (?3, ?4)" }
    let statement = try connection.statement(sql + " ORDER BY namespace, name")
    defer { statement.reset() }
    statement.bind(1, resource.description)
    if let namespace { statement.bind(2, namespace) }
    if let start {
      statement.bind(3, start.namespace)
      statement.bind(4, start.name)
    }
    while try statement.step() {
      let key = ObjectKey(namespace: statement.text(0), name: statement.text(1))
      guard try visit(key, UInt64(statement.integer(2)), { try opened(statement.blob(3), of: resource, key) }) else {
        return
      }
    }
  }

  func count(_ resource: ResourceName, namespace: String?, after start: ObjectKey) throws(SQLiteError) -> Int {
    let statement = try connection.statement(
      "SELECT count(*) FROM objects WHERE resource = ?1 AND (?2 IS NULL OR namespace = ?2) AND (namespace, name) > (?3, ?4)"
    )
    defer { statement.reset() }
    statement.bind(1, resource.description)
    statement.bind(2, namespace)
    statement.bind(3, start.namespace)
    statement.bind(4, start.name)
    return try statement.step() ? Int(statement.integer(0)) : 0
  }

  func put(_ resource: ResourceName, _ object: JSONValue, version: UInt64, time: Int64) throws {
    let metadata = object.metadata
    let statement = try connection.statement(
      """
      INSERT INTO objects (resource, namespace, name, uid, version, time, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (resource, namespace, name) DO UPDATE SET uid = ?4, version = ?5, time = ?6, body = ?7
      """)
    statement.bind(1, resource.description)
    statement.bind(2, metadata.namespace)
    statement.bind(3, metadata.name)
    statement.bind(4, metadata.uid)
    statement.bind(5, Int64(version))
    statement.bind(6, time)
    statement.bind(7, try encoded(object, of: resource))
    try statement.run()
  }

  /// Records whose dependent the object is.
  func setOwners(of object: JSONValue) throws(SQLiteError) {
    let uid = object.metadata.uid
    let clear = try connection.statement("DELETE FROM owners WHERE object = (SELECT id FROM objects WHERE uid = ?1)")
    clear.bind(1, uid)
    try clear.run()
    for owner in Set(object.metadata.ownerReferences.map(\.uid)) {
      let insert = try connection.statement(
        "INSERT INTO owners (owner, object) SELECT ?1, id FROM objects WHERE uid = ?2")
      insert.bind(1, owner)
      insert.bind(2, uid)
      try insert.run()
    }
  }

  func remove(uid: String) throws(SQLiteError) {
    let statement = try connection.statement("DELETE FROM objects WHERE uid = ?1")
    statement.bind(1, uid)
    try statement.run()
  }
}
