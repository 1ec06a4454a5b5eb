import CSQLite

/// The store's rows through libsqlite3 alone: an object and a line of the log for each write, WAL, an fsync at each
/// commit.
final class StoreFloor {
  private var database: OpaquePointer?
  private var statements: [String: OpaquePointer] = [:]
  private var version: Int64 = 0

  init(path: String) throws {
    guard sqlite3_open(path, &database) == SQLITE_OK else { throw BenchError("cannot open \(path)") }
    try run("PRAGMA journal_mode = WAL")
    try run("PRAGMA synchronous = FULL")
    try run(
      """
      CREATE TABLE objects (
        id INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL,
        version INTEGER NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (resource, namespace, name));
      CREATE UNIQUE INDEX objects_uid ON objects (uid);
      CREATE TABLE changes (
        version INTEGER PRIMARY KEY, prior INTEGER NOT NULL, time INTEGER NOT NULL, size INTEGER NOT NULL,
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
        previous BLOB);
      CREATE INDEX changes_resource ON changes (resource, version);
      """)
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close(database)
  }

  func run(_ sql: String) throws {
    guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else {
      throw BenchError(String(cString: sqlite3_errmsg(database)))
    }
  }

  private func statement(_ sql: String) throws -> OpaquePointer {
    if let known = statements[sql] { return known }
    var made: OpaquePointer?
    guard sqlite3_prepare_v2(database, sql, -1, &made, nil) == SQLITE_OK, let made else {
      throw BenchError(String(cString: sqlite3_errmsg(database)))
    }
    statements[sql] = made
    return made
  }

  private func bind(_ statement: OpaquePointer, _ position: Int32, _ text: String) {
    sqlite3_bind_text(statement, position, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
  }

  private func bind(_ statement: OpaquePointer, _ position: Int32, _ bytes: [UInt8]) {
    sqlite3_bind_blob(
      statement, position, bytes, Int32(bytes.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
  }

  private func step(_ statement: OpaquePointer) throws {
    guard sqlite3_step(statement) == SQLITE_DONE else { throw BenchError(String(cString: sqlite3_errmsg(database))) }
    sqlite3_reset(statement)
  }

  /// Writes objects in one transaction.
  func write(_ names: [String], kind: String, body: [UInt8]) throws {
    try run("BEGIN IMMEDIATE")
    for name in names {
      version += 1
      let put = try statement(
        """
        INSERT INTO objects (resource, namespace, name, uid, version, time, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (resource, namespace, name) DO UPDATE SET version = ?5, time = ?6, body = ?7
        """)
      bind(put, 1, "devices.selvedge.dev")
      bind(put, 2, "default")
      bind(put, 3, name)
      bind(put, 4, "uid-\(name)")
      sqlite3_bind_int64(put, 5, version)
      sqlite3_bind_int64(put, 6, 1_800_000_000)
      bind(put, 7, body)
      try step(put)
      let log = try statement("INSERT INTO changes VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)")
      sqlite3_bind_int64(log, 1, version)
      sqlite3_bind_int64(log, 2, 1_800_000_000)
      sqlite3_bind_int64(log, 3, Int64(body.count))
      bind(log, 4, "devices.selvedge.dev")
      bind(log, 5, "default")
      bind(log, 6, name)
      bind(log, 7, kind)
      bind(log, 8, body)
      try step(log)
    }
    try run("COMMIT")
  }

  /// Reads every body in the list's order, and copies it.
  func list() throws -> Int {
    let select = try statement(
      "SELECT body FROM objects WHERE resource = 'devices.selvedge.dev' ORDER BY namespace, name")
    defer { sqlite3_reset(select) }
    var bytes = 0
    while sqlite3_step(select) == SQLITE_ROW {
      let count = Int(sqlite3_column_bytes(select, 0))
      bytes += [UInt8](UnsafeRawBufferPointer(start: sqlite3_column_blob(select, 0), count: count)).count
    }
    return bytes
  }
}
