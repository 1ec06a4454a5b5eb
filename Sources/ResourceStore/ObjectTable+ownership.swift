internal import Resources
internal import SQLite

extension ObjectTable {
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
