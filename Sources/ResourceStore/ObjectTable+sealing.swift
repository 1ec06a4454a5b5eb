internal import Documents
internal import Encryption
internal import Resources
internal import SQLite

extension ObjectTable {
  /// What is stored for an object.
  func encoded(_ object: JSONValue, of resource: ResourceName) throws -> [UInt8] {
    let body = object.serialised()
    guard let cipher = ciphers[resource] else { return body }
    let metadata = object.metadata
    return try cipher.seal(
      body,
      at: BodyPlace(
        resource: resource.description, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid))
  }

  /// The body that was stored; throws ``StoreError`` where it cannot be had. `key`: the object whose it must be.
  func opened(_ stored: [UInt8], of resource: ResourceName, _ key: ObjectKey? = nil) throws -> [UInt8] {
    guard let cipher = ciphers[resource] else { return stored }
    let (body, place) = try cipher.open(stored)
    guard place.isAt(resource, key) else {
      throw StoreError(
        message: "the stored body of \(resource) \(key?.description ?? "") belongs to another object: it was moved")
    }
    return body
  }

  /// Whether anything of a kind is stored.
  func holdsAny(of resource: ResourceName) throws(SQLiteError) -> Bool {
    let statement = try connection.statement(
      "SELECT EXISTS (SELECT 1 FROM objects WHERE resource = ?1) OR EXISTS (SELECT 1 FROM changes WHERE resource = ?1)")
    defer { statement.reset() }
    statement.bind(1, resource.description)
    return try statement.step() && statement.integer(0) != 0
  }

  /// Proves that every body of the kinds with a cipher can be opened, and seals those anew that were sealed under an
  /// older key: all or none. Answers how many. Afterwards nothing that was sealed under the older key is left in the file.
  func sealAnew() throws -> Int {
    var count = 0
    try connection.transaction {
      for (resource, cipher) in ciphers {
        for (table, column) in [("objects", "body"), ("changes", "body"), ("changes", "previous")] {
          count += try sealAnew(table, column, of: resource, cipher)
        }
      }
    }
    if count > 0 {
      try connection.execute("VACUUM")
      try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }
    return count
  }

  private func sealAnew(_ table: String, _ column: String, of resource: ResourceName, _ cipher: any BodyCipher)
    throws -> Int
  {
    let read = try connection.statement(
      "SELECT rowid, \(column) FROM \(table) WHERE resource = ?1 AND \(column) IS NOT NULL AND rowid > ?2 ORDER BY rowid LIMIT 1"
    )
    var last = Int64.min
    var count = 0
    while true {
      read.bind(1, resource.description)
      read.bind(2, last)
      guard try read.step() else { break }
      last = read.integer(0)
      let stored = read.blob(1)
      read.reset()
      let (body, place) = try cipher.open(stored)
      guard !cipher.isCurrent(stored) else { continue }
      let write = try connection.statement("UPDATE \(table) SET \(column) = ?1 WHERE rowid = ?2")
      write.bind(1, try cipher.seal(body, at: place))
      write.bind(2, last)
      try write.run()
      count += 1
    }
    read.reset()
    return count
  }
}
