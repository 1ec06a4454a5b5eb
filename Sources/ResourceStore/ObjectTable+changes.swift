internal import Documents
internal import Resources
internal import SQLite

extension ObjectTable {
  func log(_ change: Change, of resource: ResourceName, time: Int64) throws {
    let statement = try connection.statement(
      "INSERT INTO changes (version, time, resource, kind, body, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    statement.bind(1, Int64(change.version))
    statement.bind(2, time)
    statement.bind(3, resource.description)
    statement.bind(4, change.kind.rawValue)
    statement.bind(5, try encoded(change.object, of: resource))
    if let previous = change.previous {
      statement.bind(6, try encoded(previous, of: resource))
    } else {
      statement.bindNull(6)
    }
    try statement.run()
  }

  /// The changes of a kind after `version`, in commit order.
  func changes(of resource: ResourceName, after version: UInt64) throws -> [Change] {
    let statement = try connection.statement(
      "SELECT version, kind, body, previous FROM changes WHERE resource = ?1 AND version > ?2 ORDER BY version")
    defer { statement.reset() }
    statement.bind(1, resource.description)
    statement.bind(2, Int64(version))
    var changes: [Change] = []
    while try statement.step() {
      changes.append(
        Change(
          version: UInt64(statement.integer(0)), kind: WatchEvent.Change(rawValue: statement.text(1)) ?? .modified,
          object: try JSONValue(parsing: try opened(statement.blob(2), of: resource)),
          previous: statement.isNull(3)
            ? JSONValue?.none : try JSONValue(parsing: try opened(statement.blob(3), of: resource))))
    }
    return changes
  }

  /// Forgets changes up to and including `version`, and those older than `time`; answers the newest that is gone.
  func compact(upTo version: UInt64, olderThan time: Int64) throws(SQLiteError) -> UInt64 {
    let newest = try connection.statement("SELECT max(version) FROM changes WHERE version <= ?1 OR time < ?2")
    defer { newest.reset() }
    newest.bind(1, Int64(clamping: version))
    newest.bind(2, time)
    guard try newest.step(), !newest.isNull(0) else { return 0 }
    let last = newest.integer(0)
    let statement = try connection.statement("DELETE FROM changes WHERE version <= ?1")
    statement.bind(1, last)
    try statement.run()
    return UInt64(last)
  }

  func exists(uid: String) throws(SQLiteError) -> Bool {
    let statement = try connection.statement("SELECT 1 FROM objects WHERE uid = ?1")
    defer { statement.reset() }
    statement.bind(1, uid)
    return try statement.step()
  }

  /// Kind and key of the objects that name `owner` among their owners.
  func dependents(of owner: String) throws(SQLiteError) -> [(resource: String, key: ObjectKey)] {
    let statement = try connection.statement(
      "SELECT resource, namespace, name FROM objects JOIN owners ON object = id WHERE owner = ?1 ORDER BY id")
    statement.bind(1, owner)
    return try keys(statement)
  }

  /// Kind and key of objects all of whose owners are gone or unknown.
  func orphans() throws(SQLiteError) -> [(resource: String, key: ObjectKey)] {
    try keys(
      try connection.statement(
        """
        SELECT resource, namespace, name FROM objects WHERE id IN (SELECT object FROM owners) AND NOT EXISTS (
          SELECT 1 FROM owners JOIN objects AS other ON other.uid = owner WHERE object = objects.id)
        ORDER BY id
        """))
  }

  /// Kind and key of everything in a namespace.
  func content(of namespace: String) throws(SQLiteError) -> [(resource: String, key: ObjectKey)] {
    let statement = try connection.statement(
      "SELECT resource, namespace, name FROM objects WHERE namespace = ?1 ORDER BY id")
    statement.bind(1, namespace)
    return try keys(statement)
  }

  /// Keys of a kind's objects that were last written before `time`, and of the oldest beyond `most`.
  func stale(_ resource: ResourceName, before time: Int64, most: Int) throws(SQLiteError) -> [ObjectKey] {
    let statement = try connection.statement(
      """
      SELECT resource, namespace, name FROM objects WHERE resource = ?1 AND (time < ?2 OR id NOT IN (
        SELECT id FROM objects WHERE resource = ?1 ORDER BY time DESC, id DESC LIMIT ?3)) ORDER BY id
      """)
    statement.bind(1, resource.description)
    statement.bind(2, time)
    statement.bind(3, most)
    return try keys(statement).map(\.key)
  }

  private func keys(_ statement: Statement) throws(SQLiteError) -> [(resource: String, key: ObjectKey)] {
    defer { statement.reset() }
    var found: [(resource: String, key: ObjectKey)] = []
    while try statement.step() {
      found.append((statement.text(0), ObjectKey(namespace: statement.text(1), name: statement.text(2))))
    }
    return found
  }
}
