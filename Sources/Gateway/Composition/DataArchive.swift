internal import FoundationEssentials
internal import Glibc
internal import SQLite

/// A SQLite archive: files as rows of the table `sqlar`, stored as they are. `sqlite3 FILE -A` lists and extracts it.
struct DataArchive {
  /// A file as SQLite stores values is at most 1,000,000,000 bytes.
  private static let largestFile: Int64 = 1_000_000_000
  private let connection: Connection

  /// Makes the archive; the file must not be there yet.
  init(creating path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StartError("cannot make \(path): \(String(cString: strerror(errno)))") }
    close(descriptor)
    connection = try Connection(path: path, durability: .full)
    try connection.execute("PRAGMA journal_mode = DELETE")
    try connection.execute(
      "CREATE TABLE sqlar (name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB)")
  }

  init(opening path: String) throws {
    guard access(path, R_OK) == 0 else { throw StartError("\(path): \(String(cString: strerror(errno)))") }
    connection = try Connection(path: path, readOnly: true)
    if let fault = try connection.integrityFault() { throw StartError("\(path) is damaged: \(fault)") }
  }

  /// Adds the file at `path`, piece by piece.
  func add(_ path: String, as name: String) throws {
    let source = open(path, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw StartError("cannot read \(path): \(String(cString: strerror(errno)))") }
    defer { close(source) }
    let size = Int64(lseek(source, 0, SEEK_END))
    guard size >= 0, lseek(source, 0, SEEK_SET) == 0 else {
      throw StartError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    guard size <= Self.largestFile else {
      throw StartError(
        "\(name) has \(size) bytes, and a backup holds at most \(Self.largestFile): stop the gateway and copy its files"
      )
    }
    let insert = try connection.statement("INSERT INTO sqlar VALUES (?1, 33152, ?2, ?3, zeroblob(?3))")
    insert.bind(1, name)
    insert.bind(2, Int64(time(nil)))
    insert.bind(3, size)
    try connection.transaction {
      try insert.run()
      try connection.withBlob(table: "sqlar", column: "data", row: connection.lastRow, isWritable: true) { blob in
        var offset = 0
        while offset < Int(size) {
          var count = 0
          let piece = [UInt8](unsafeUninitializedCapacity: min(256 << 10, Int(size) - offset)) { buffer, filled in
            count = read(source, buffer.baseAddress, buffer.count)
            filled = max(count, 0)
          }
          guard count > 0 else { throw StartError("\(path) ended before its size") }
          try blob.write(piece, at: offset)
          offset += count
        }
      }
    }
  }

  /// Writes a file of the archive to `path`, and to the disk. Does nothing where the archive has no such file.
  func extract(_ name: String, to path: String) throws {
    let find = try connection.statement("SELECT rowid, sz, length(data) FROM sqlar WHERE name = ?1")
    defer { find.reset() }
    find.bind(1, name)
    guard try find.step() else { return }
    let size = Int(find.integer(1))
    guard find.integer(2) == find.integer(1) else { throw StartError("\(name) is compressed: use sqlite3 -Ax") }
    let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard target >= 0 else { throw StartError("cannot make \(path): \(String(cString: strerror(errno)))") }
    defer { close(target) }
    try connection.withBlob(table: "sqlar", column: "data", row: find.integer(0), isWritable: false) { blob in
      for offset in stride(from: 0, to: size, by: 256 << 10) {
        let piece = try blob.read(min(256 << 10, size - offset), at: offset)
        guard write(target, piece, piece.count) == piece.count else {
          throw StartError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
      }
    }
    guard fsync(target) == 0 else { throw StartError("cannot write \(path): \(String(cString: strerror(errno)))") }
  }
}
