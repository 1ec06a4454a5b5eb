internal import CSQLite

/// A prepared statement: bind by position (from 1), step, read columns by position (from 0), reset.
public final class Statement {
  private let handle: OpaquePointer
  private let database: OpaquePointer
  private let sql: String

  init(_ handle: OpaquePointer, sql: String, of database: OpaquePointer) {
    self.handle = handle
    self.sql = sql
    self.database = database
  }

  deinit { sqlite3_finalize(handle) }

  // SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  public func bind(_ position: Int32, _ value: Int64) { sqlite3_bind_int64(handle, position, value) }
  public func bind(_ position: Int32, _ value: Int) { sqlite3_bind_int64(handle, position, Int64(value)) }
  public func bind(_ position: Int32, _ value: Double) { sqlite3_bind_double(handle, position, value) }
  public func bindNull(_ position: Int32) { sqlite3_bind_null(handle, position) }

  public func bind(_ position: Int32, _ value: String) {
    var value = value
    value.withUTF8 { utf8 in
      _ = utf8.withMemoryRebound(to: CChar.self) {
        sqlite3_bind_text(handle, position, $0.baseAddress, Int32($0.count), Statement.transient)
      }
    }
  }

  public func bind(_ position: Int32, _ value: String?) {
    if let value { bind(position, value) } else { bindNull(position) }
  }

  public func bind(_ position: Int32, _ value: [UInt8]) {
    value.withUnsafeBytes {
      _ = sqlite3_bind_blob64(handle, position, $0.baseAddress, UInt64($0.count), Statement.transient)
      if $0.isEmpty { sqlite3_bind_zeroblob(handle, position, 0) }
    }
  }

  /// Advances: true while there is a row. Throws what SQLite refused, after a reset.
  public func step() throws(SQLiteError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code:
      let message = String(cString: sqlite3_errmsg(database))
      reset()
      throw SQLiteError(code: code & 0xFF, message: "\(message) (in: \(sql.prefix(120)))")
    }
  }

  /// Steps to the end and resets: for statements without results.
  public func run() throws(SQLiteError) {
    while try step() {}
    reset()
  }

  public func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
  public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
  public func double(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }

  public func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  public func blob(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(handle, column) else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
  }
}
