internal import Documents
internal import Glibc
internal import SQLite

/// A copy of a store's file for a backup, and what becomes of it where it is used.
public enum BackupCopy {
  /// The counter that a copy has and a store in use has not.
  static let mark = "copied"

  /// Copies `resources.db` of `directory` to the new file `path` while a store uses it; its writers go on meanwhile.
  /// The copy knows that it is one. Blocks: for a thread that may wait for the disk.
  ///
  /// Throws ``StoreError``.
  public static func make(of directory: String, to path: String) throws(StoreError) {
    let source = "\(directory)/resources.db"
    guard access(source, R_OK) == 0 else { throw StoreError(message: "there is no resource database at \(source)") }
    do {
      try Connection(path: source, readOnly: true).backup(to: path)
      let copy = ObjectTable(try Connection(path: path, durability: .full))
      try copy.setCounter(mark, 1)
      // One file, without a log beside it.
      try copy.connection.execute("PRAGMA journal_mode = DELETE")
    } catch {
      throw StoreError(message: "cannot copy \(source): \(StoreFile.advice(error))")
    }
  }

  /// Lets the versions of a copy that is taken into use go on far above all that the original has given out since: a
  /// client that knows one of these is told 410 and lists again, and never gets what it takes for a continuation.
  static func moveOn(_ table: ObjectTable, now: Timestamp) throws {
    let version = max(try table.counter("version") + 1 << 32, UInt64(max(now.nanoseconds / 1_000_000, 0)))
    try table.connection.transaction {
      try table.connection.execute("DELETE FROM changes")
      try table.connection.execute("DELETE FROM counters WHERE name = '\(mark)'")
      try table.setCounter("version", version)
      try table.setCounter("compacted", version)
    }
  }
}
