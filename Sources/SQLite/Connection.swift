internal import CSQLite

/// What SQLite answered, and to what.
public struct SQLiteError: Error, Sendable, CustomStringConvertible {
  /// The primary result code (sqlite.org/rescode.html).
  public var code: Int32
  public var message: String
  public var description: String { message }

  public var isFull: Bool { code == SQLITE_FULL }
  public var isReadOnly: Bool { code == SQLITE_READONLY }
  public var isCorrupt: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
  /// The file's schema is not what the statements were written for, or its rows break the schema's own rules.
  public var isUnexpected: Bool { code == SQLITE_ERROR || code == SQLITE_CONSTRAINT }
  public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
}

/// One connection to one database file. Not safe for use from two threads at a time: an actor or a `Mutex` owns it.
///
/// `@unchecked Sendable`: the connection is opened with `SQLITE_OPEN_FULLMUTEX`, so SQLite itself serialises calls;
/// statements are confined to their owner, who is documented above.
public final class Connection: @unchecked Sendable {
  let handle: OpaquePointer
  private var cache: [String: Statement] = [:]

  public enum Durability: String, Sendable {
    /// WAL, fsync at every commit: what is committed survives a power cut.
    case full = "FULL"
    /// WAL, fsync at checkpoints: a commit survives a kill of the process, a power cut may undo the last ones.
    case normal = "NORMAL"
  }

  /// Opens or creates the database at `path` (`:memory:` for none) in WAL mode.
  ///
  /// - Parameter shrinks: a file that is new can give pages back by ``giveBack(pages:)``; one that exists is as it is.
  public init(
    path: String, durability: Durability = .full, readOnly: Bool = false, shrinks: Bool = false
  ) throws(SQLiteError) {
    var opened: OpaquePointer?
    let flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_FULLMUTEX
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
      sqlite3_close_v2(opened)
      throw SQLiteError(code: code & 0xFF, message: "cannot open \(path): \(reason)")
    }
    handle = opened
    sqlite3_busy_timeout(handle, 5_000)
    if !readOnly {
      // Counts only before the first page is written, which the next line does.
      if shrinks { try execute("PRAGMA auto_vacuum = INCREMENTAL") }
      try execute("PRAGMA journal_mode = WAL")
      try execute("PRAGMA synchronous = \(durability.rawValue)")
    }
    try execute("PRAGMA foreign_keys = ON")
  }

  deinit {
    cache.removeAll()
    sqlite3_close_v2(handle)
  }

  /// Runs one or more statements without parameters and without results.
  public func execute(_ sql: String) throws(SQLiteError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code, in: sql) }
  }

  /// A prepared statement, reset and unbound; prepared once for each text and kept.
  public func statement(_ sql: String) throws(SQLiteError) -> Statement {
    if let cached = cache[sql] {
      cached.reset()
      return cached
    }
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw error(code, in: sql) }
    let statement = Statement(prepared, sql: sql, of: handle)
    cache[sql] = statement
    return statement
  }

  /// Runs `body` in one transaction (BEGIN IMMEDIATE): committed when it returns, rolled back when it throws.
  public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try execute("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      try? execute("ROLLBACK")
      throw error
    }
  }

  /// Whether a transaction is open. Some errors, a full disk among them, end one by themselves.
  public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// The one number that a PRAGMA answers; 0 where it answers nothing.
  public func number(ofPragma name: String) throws(SQLiteError) -> Int64 {
    let statement = try statement("PRAGMA \(name)")
    defer { statement.reset() }
    return try statement.step() ? statement.integer(0) : 0
  }

  /// Makes a file that was made without `shrinks` one that can give pages back. Rewrites the whole file once.
  public func makeShrinkable() throws(SQLiteError) {
    guard try number(ofPragma: "auto_vacuum") != 2 else { return }
    try execute("PRAGMA auto_vacuum = INCREMENTAL")
    try execute("VACUUM")
  }

  /// Takes at most so many unused pages out of the file; it is shorter after the next checkpoint.
  public func giveBack(pages: Int) throws(SQLiteError) { try execute("PRAGMA incremental_vacuum(\(pages))") }

  /// `PRAGMA user_version`: the schema version of the file.
  public var userVersion: Int64 {
    get throws(SQLiteError) {
      let statement = try statement("PRAGMA user_version")
      defer { statement.reset() }
      return try statement.step() ? statement.integer(0) : 0
    }
  }

  public func setUserVersion(_ version: Int64) throws(SQLiteError) { try execute("PRAGMA user_version = \(version)") }

  /// `PRAGMA quick_check`: nil if the file is sound, else what is wrong with it.
  public func integrityFault() throws(SQLiteError) -> String? {
    let statement = try statement("PRAGMA quick_check(1)")
    defer { statement.reset() }
    guard try statement.step() else { return "no answer" }
    let answer = statement.text(0)
    return answer == "ok" ? nil : answer
  }

  /// Rows that the last statement changed.
  public var changes: Int { Int(sqlite3_changes64(handle)) }

  /// Copies the whole database, consistently, to a new file while it is in use.
  public func backup(to path: String) throws(SQLiteError) {
    let target = try statement("VACUUM INTO ?1")
    target.bind(1, path)
    _ = try target.step()
    target.reset()
  }

  private func error(_ code: Int32, in sql: String) -> SQLiteError {
    SQLiteError(code: code & 0xFF, message: "\(String(cString: sqlite3_errmsg(handle))) (in: \(sql.prefix(120)))")
  }
}
