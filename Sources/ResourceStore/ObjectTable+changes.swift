internal import Documents
internal import Resources
internal import SQLite

extension ObjectTable {
  /// Adds a change to the log; before the object's row is written.
  ///
  /// - Parameter keepsPrevious: whether what the row still holds is kept with the change: where a selector may see a
  ///   difference, or the log does not have that state any more.
  func log(
    _ change: Change, of resource: ResourceName, body: [UInt8], keepsPrevious: Bool, time: Int64
  ) throws(SQLiteError) {
    let statement = try connection.statement(
      """
      INSERT INTO changes (version, prior, time, size, resource, namespace, name, kind, body, previous)
      SELECT ?1, ?2, ?3, length(?8) + coalesce(length(old.body), 0), ?4, ?5, ?6, ?7, ?8, old.body FROM (SELECT 1)
      LEFT JOIN objects AS old ON ?9 AND old.resource = ?4 AND old.namespace = ?5 AND old.name = ?6
      """)
    let key = change.object.objectKey
    statement.bind(1, Int64(change.version))
    statement.bind(2, Int64(change.prior))
    statement.bind(3, time)
    statement.bind(4, resource.description)
    statement.bind(5, key.namespace)
    statement.bind(6, key.name)
    statement.bind(7, change.kind.rawValue)
    statement.bind(8, body)
    statement.bind(9, keepsPrevious && change.prior > 0 ? 1 : 0)
    try statement.run()
  }

  /// The changes of a kind after `version`, in commit order.
  func changes(of resource: ResourceName, after version: UInt64) throws -> [Change] {
    let statement = try connection.statement(
      "SELECT version, kind, prior, body, previous FROM changes WHERE resource = ?1 AND version > ?2 ORDER BY version")
    defer { statement.reset() }
    statement.bind(1, resource.description)
    statement.bind(2, Int64(version))
    var changes: [Change] = []
    while try statement.step() {
      func object(_ column: Int32) throws -> JSONValue {
        try JSONValue(parsing: try opened(statement.blob(column), of: resource))
      }
      changes.append(
        Change(
          version: UInt64(statement.integer(0)), kind: WatchEvent.Change(rawValue: statement.text(1)) ?? .modified,
          object: try object(3), previous: statement.isNull(4) ? JSONValue?.none : try object(4),
          prior: UInt64(statement.integer(2))))
    }
    return changes
  }

  /// How many bytes of objects the log holds.
  func logBytes() throws(SQLiteError) -> Int64 {
    let statement = try connection.statement("SELECT coalesce(sum(size), 0) FROM changes")
    defer { statement.reset() }
    return try statement.step() ? statement.integer(0) : 0
  }

  /// Forgets changes up to and including `version`, those older than `time`, and the oldest beyond `bytes`; answers the
  /// newest that is gone. The state at any version that is left can still be told: what a later change needs of one
  /// that goes moves to it.
  func compact(upTo version: UInt64, olderThan time: Int64, beyond bytes: Int64) throws(SQLiteError) -> UInt64 {
    let newest = try connection.statement(
      """
      SELECT max(coalesce((SELECT max(version) FROM changes WHERE version <= ?1 OR time < ?2), 0),
        coalesce((SELECT max(version) FROM
          (SELECT version, sum(size) OVER (ORDER BY version DESC) AS held FROM changes) WHERE held > ?3), 0))
      """)
    defer { newest.reset() }
    newest.bind(1, Int64(clamping: version))
    newest.bind(2, time)
    newest.bind(3, bytes)
    guard try newest.step(), newest.integer(0) > 0 else { return 0 }
    let last = newest.integer(0)
    let move = try connection.statement(
      """
      UPDATE changes SET previous = old.body, size = size + length(old.body)
      FROM (SELECT version AS oldVersion, body FROM changes WHERE version <= ?1) AS old
      WHERE changes.version > ?1 AND changes.prior = old.oldVersion AND changes.previous IS NULL
      """)
    move.bind(1, last)
    try move.run()
    let statement = try connection.statement("DELETE FROM changes WHERE version <= ?1")
    statement.bind(1, last)
    try statement.run()
    return UInt64(last)
  }
}
