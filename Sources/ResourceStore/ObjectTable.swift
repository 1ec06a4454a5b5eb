internal import Documents
internal import Encryption
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
    /// The version of the state before; 0: there was none.
    var prior: UInt64
    /// What watchers are sent, made once for all of them.
    var renderings = SharedRenderings()
  }
  let connection: Connection
  /// Of the kinds whose bodies do not lie on the disk in clear.
  var ciphers: [ResourceName: any BodyCipher] = [:]

  init(_ connection: Connection) { self.connection = connection }

  // MARK: Counters

  /// Lets the file grow to so many bytes and no further; what it has already stays.
  func limit(bytes: Int64) throws(SQLiteError) {
    let size = try connection.number(ofPragma: "page_size")
    try connection.execute("PRAGMA max_page_count = \(max(bytes / max(size, 1), 1))")
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

  // MARK: Objects

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

  /// Visits the rows of a kind after `start`, sorted by namespace and name, until `visit` answers false. The last
  /// argument reads the body: it is only copied where it is asked for.
  func scan(
    _ resource: ResourceName, namespace: String?, after start: ObjectKey?,
    _ visit: (_ key: ObjectKey, _ version: UInt64, _ body: @escaping () throws -> [UInt8]) throws -> Bool
  ) throws {
    let statement = try selection("namespace, name, version, body", resource, namespace, after: start, isSorted: true)
    defer { statement.reset() }
    while try statement.step() {
      let key = ObjectKey(namespace: statement.text(0), name: statement.text(1))
      guard try visit(key, UInt64(statement.integer(2)), { try opened(statement.blob(3), of: resource, key) }) else {
        return
      }
    }
  }

  func count(_ resource: ResourceName, namespace: String?, after start: ObjectKey) throws -> Int {
    let statement = try selection("count(*)", resource, namespace, after: start, isSorted: false)
    defer { statement.reset() }
    return try statement.step() ? Int(statement.integer(0)) : 0
  }

  /// Within one namespace the index is entered at the name, in all of them at the pair.
  private func selection(
    _ columns: String, _ resource: ResourceName, _ namespace: String?, after start: ObjectKey?, isSorted: Bool
  ) throws(SQLiteError) -> Statement {
    var sql = "SELECT \(columns) FROM objects WHERE resource = ?1"
    let isInside = start.map { namespace == nil || namespace == $0.namespace } ?? false
    if namespace != nil { sql += " AND namespace = ?2" }
    if isInside { sql += namespace == nil ? " AND (namespace, name) > (?3, ?4)" : " AND name > ?4" }
    if isSorted { sql += " ORDER BY namespace, name" }
    let statement = try connection.statement(sql)
    statement.bind(1, resource.description)
    if let namespace { statement.bind(2, namespace) }
    if let start, isInside {
      if namespace == nil { statement.bind(3, start.namespace) }
      statement.bind(4, start.name)
    }
    return statement
  }

  func put(
    _ resource: ResourceName, _ object: JSONValue, body: [UInt8], version: UInt64, time: Int64
  ) throws(SQLiteError) {
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
    statement.bind(7, body)
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
