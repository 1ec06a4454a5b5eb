internal import SQLite

extension ObjectTable {
  /// Each brings a file of the layout before it to its own; the first makes a new one. A layout that was released is
  /// never changed: `Fixtures/resource-store` has a file of each.
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
    """,
    // The log says which object a change is of and what was there before it. The log of layout 1 did not: it is
    // dropped, and whoever watches from it lists again.
    """
    DROP TABLE changes;
    CREATE TABLE changes (
      version INTEGER PRIMARY KEY, prior INTEGER NOT NULL, time INTEGER NOT NULL, size INTEGER NOT NULL,
      resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
      previous BLOB);
    CREATE INDEX changes_resource ON changes (resource, version);
    CREATE TABLE schemas (resource TEXT PRIMARY KEY, hash INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
    UPDATE counters SET value = (SELECT value FROM counters WHERE name = 'version') WHERE name = 'compacted';
    """,
  ]

  /// The layout that this program writes.
  static var layout: Int { migrations.count }

  /// Brings the file to the current layout. A file of a newer program is refused, and left as it is.
  func migrate(firstVersion: UInt64) throws {
    let version = Int(try connection.userVersion)
    guard version <= Self.layout else {
      throw StoreError(
        message:
          "the resource database has layout \(version), and this program knows \(Self.layout): use the newer gateway that wrote it, or restore a backup"
      )
    }
    for index in version..<Self.layout {
      try connection.transaction {
        try connection.execute(Self.migrations[index])
        try connection.setUserVersion(Int64(index + 1))
      }
    }
    if version == 0 {
      try setCounter("version", firstVersion)
      try setCounter("compacted", firstVersion)
    }
    try connection.makeShrinkable()
  }

  /// Since which version a kind's rows were written under the schema of this hash: older ones may lack its defaults.
  func schemaAdopted(_ resource: String, hash: Int64, now version: UInt64) throws(SQLiteError) -> UInt64 {
    let known = try connection.statement("SELECT hash, version FROM schemas WHERE resource = ?1")
    defer { known.reset() }
    known.bind(1, resource)
    if try known.step(), known.integer(0) == hash { return UInt64(known.integer(1)) }
    let statement = try connection.statement(
      "INSERT OR REPLACE INTO schemas (resource, hash, version) VALUES (?1, ?2, ?3)")
    statement.bind(1, resource)
    statement.bind(2, hash)
    statement.bind(3, Int64(version))
    try statement.run()
    return version
  }
}
