internal import CSQLite

/// One value of a table, read or written piece by piece (sqlite.org/c3ref/blob_open.html).
public struct Blob: ~Copyable {
  private let handle: OpaquePointer
  private let database: OpaquePointer

  init(_ handle: OpaquePointer, of database: OpaquePointer) {
    self.handle = handle
    self.database = database
  }

  deinit { sqlite3_blob_close(handle) }

  /// Replaces bytes; the value's size stays as it is.
  public func write(_ bytes: [UInt8], at offset: Int) throws(SQLiteError) {
    let code = bytes.withUnsafeBytes {
      sqlite3_blob_write(handle, $0.baseAddress, Int32($0.count), Int32(offset))
    }
    guard code == SQLITE_OK else { throw error(code) }
  }

  public func read(_ count: Int, at offset: Int) throws(SQLiteError) -> [UInt8] {
    var code = SQLITE_OK
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      code = sqlite3_blob_read(handle, buffer.baseAddress, Int32(count), Int32(offset))
      filled = code == SQLITE_OK ? count : 0
    }
    guard code == SQLITE_OK else { throw error(code) }
    return bytes
  }

  private func error(_ code: Int32) -> SQLiteError {
    SQLiteError(code: code & 0xFF, message: String(cString: sqlite3_errmsg(database)))
  }
}

extension Connection {
  /// Runs `body` with one value of a table, which exists.
  public func withBlob<Result>(
    table: String, column: String, row: Int64, isWritable: Bool, _ body: (borrowing Blob) throws -> Result
  ) throws -> Result {
    var opened: OpaquePointer?
    let code = sqlite3_blob_open(handle, "main", table, column, row, isWritable ? 1 : 0, &opened)
    guard code == SQLITE_OK, let opened else {
      throw SQLiteError(code: code & 0xFF, message: String(cString: sqlite3_errmsg(handle)))
    }
    return try body(Blob(opened, of: handle))
  }

  /// The row that the last INSERT made.
  public var lastRow: Int64 { sqlite3_last_insert_rowid(handle) }
}
