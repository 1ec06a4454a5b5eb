internal import Documents
internal import Glibc
internal import Logging
internal import Resources
internal import SQLite

/// Opens the database file of a store, or moves one aside that cannot be used.
enum StoreFile {
  /// What quick_check found.
  private struct Damage: Error {
    var fault: String
  }

  static func open(directory: String, logger: Logger, now: Timestamp) throws -> ObjectTable {
    let path = "\(directory)/resources.db"
    do {
      let table = try sound(path, firstVersion: 1)
      if try table.counter(BackupCopy.mark) != 0 { try BackupCopy.moveOn(table, now: now) }
      return table
    } catch {
      guard let fault = fault(error) else { throw error }
      let aside = "\(path).corrupt-\(now.nanoseconds / 1_000_000_000)"
      for suffix in ["", "-wal", "-shm"] where access(path + suffix, F_OK) == 0 {
        guard rename(path + suffix, aside + suffix) == 0 else {
          throw StoreError(
            message: "\(path) is damaged and cannot be moved aside: \(String(cString: strerror(errno)))")
        }
      }
      logger.error(
        "the resource database is damaged: it was moved aside and a fresh one made; apply the manifests again",
        metadata: ["file": "\(aside)", "fault": "\(fault)"])
      // Milliseconds since 1970 are above any version that the lost file can have given out at one write a millisecond.
      return try sound(path, firstVersion: UInt64(max(now.nanoseconds / 1_000_000, 1)))
    }
  }

  private static func sound(_ path: String, firstVersion: UInt64) throws -> ObjectTable {
    let connection = try Connection(path: path, durability: .full, shrinks: true)
    if let fault = try connection.integrityFault() { throw Damage(fault: fault) }
    // What a burst of writes has made of the log's file goes at the next checkpoint.
    try connection.execute("PRAGMA journal_size_limit = 4194304")
    let table = ObjectTable(connection)
    try table.migrate(firstVersion: firstVersion)
    return table
  }

  /// What is damaged in the file; nil for any other error.
  private static func fault(_ error: any Error) -> String? {
    if let damage = error as? Damage { return damage.fault }
    guard let error = error as? SQLiteError, error.isCorrupt else { return nil }
    return error.message
  }

  /// What happened and what to do.
  static func advice(_ error: SQLiteError) -> String {
    if error.isFull { return "the disk or the database is full: free some space" }
    if error.isReadOnly {
      return "the database is read-only: check the permissions and the mount of the data directory"
    }
    return error.message
  }

  /// What a client is told of an error in the database. A full or read-only disk is 507: nothing was stored.
  static func status(for error: any Error) -> APIStatus {
    switch error {
    case let status as APIStatus: status
    case let error as SQLiteError where error.isFull || error.isReadOnly:
      APIStatus(
        code: 507, reason: "InternalError",
        message: "Internal error occurred: nothing was stored: \(advice(error))")
    case let error as SQLiteError: .internalError("resource database: \(advice(error))")
    default: .internalError("resource database: \(error)")
    }
  }
}
