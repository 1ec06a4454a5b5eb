internal import Documents
internal import Encryption
internal import Glibc
package import Resources
internal import SQLite

/// The cluster's objects as they were last seen, in one SQLite file: what a gateway starts from while there is no API
/// server. Secrets are sealed as in the embedded store.
///
/// Commits survive a kill; a power cut may undo the last ones, and with them the versions that they came to, so that a
/// watch from there tells them again.
struct CacheFile {
  /// The file is no sound database of this form.
  private struct Damage: Error {}

  private let connection: Connection
  private let cipher: SecretCipher

  /// Opens or makes the file. One that is damaged, or of another cluster, is made anew: all of it can be read again.
  /// Throws ``CacheError`` for what the person who starts the gateway can mend.
  static func open(path: String, identity: String, secretKeyFile: String) throws(CacheError) -> CacheFile {
    do {
      do {
        return try CacheFile(path: path, identity: identity, secretKeyFile: secretKeyFile)
      } catch let error as SQLiteError where error.isCorrupt || error.isUnexpected {
        throw Damage()
      }
    } catch let error as EncryptionError {
      throw CacheError(message: error.message)
    } catch is Damage {
      for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    } catch {
      throw CacheError(message: "cannot open the cluster cache \(path): \(error)")
    }
    do {
      return try CacheFile(path: path, identity: identity, secretKeyFile: secretKeyFile)
    } catch {
      throw CacheError(message: "cannot open the cluster cache \(path): \(error)")
    }
  }

  private init(path: String, identity: String, secretKeyFile: String) throws {
    connection = try Connection(path: path, durability: .normal, shrinks: true)
    guard try connection.integrityFault() == nil else { throw Damage() }
    try connection.execute(
      """
      CREATE TABLE IF NOT EXISTS about (identity TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS scopes (resource TEXT, scope INTEGER, selector TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (resource, scope)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS objects (resource TEXT, scope INTEGER, namespace TEXT, name TEXT,
        version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (resource, scope, namespace, name)) WITHOUT ROWID;
      """)
    // Without the key that they were sealed under Secrets are read again: the cluster has them.
    cipher = SecretCipher(keys: try SecretKeys(path: secretKeyFile, mayCreate: true))
    try belong(to: identity)
  }

  private func belong(to identity: String) throws {
    let read = try connection.statement("SELECT identity FROM about")
    let known = try read.step() ? read.text(0) : nil
    read.reset()
    guard known != identity else { return }
    try connection.transaction {
      try connection.execute("DELETE FROM objects; DELETE FROM scopes; DELETE FROM about")
      let write = try connection.statement("INSERT INTO about VALUES (?1)")
      write.bind(1, identity)
      try write.run()
    }
  }

  /// Makes what follows one transaction, until ``commit()``.
  func begin() throws {
    if !connection.isInTransaction { try connection.execute("BEGIN IMMEDIATE") }
  }

  func commit() throws {
    if connection.isInTransaction { try connection.execute("COMMIT") }
  }

  func rollBack() {
    if connection.isInTransaction { try? connection.execute("ROLLBACK") }
  }

  /// The version that a scope was followed up to; nil where it was never read whole, or selected otherwise. Then its
  /// objects go.
  func version(_ scope: ScopeName, selector: String) throws -> UInt64? {
    let read = try connection.statement("SELECT selector, version FROM scopes WHERE resource = ?1 AND scope = ?2")
    read.bind(1, scope.resource.description)
    read.bind(2, scope.index)
    let found = try read.step() ? (selector: read.text(0), version: UInt64(bitPattern: read.integer(1))) : nil
    read.reset()
    if let found, found.selector == selector { return found.version }
    for table in ["objects", "scopes"] {
      let delete = try connection.statement("DELETE FROM \(table) WHERE resource = ?1 AND scope = ?2")
      delete.bind(1, scope.resource.description)
      delete.bind(2, scope.index)
      try delete.run()
    }
    return nil
  }

  func setVersion(_ scope: ScopeName, selector: String, _ version: UInt64) throws {
    let write = try connection.statement("INSERT OR REPLACE INTO scopes VALUES (?1, ?2, ?3, ?4)")
    write.bind(1, scope.resource.description)
    write.bind(2, scope.index)
    write.bind(3, selector)
    write.bind(4, Int64(bitPattern: version))
    try write.run()
  }

  func put(_ object: JSONValue, _ version: UInt64, in scope: ScopeName) throws {
    let key = object.objectKey
    var body = object.serialised()
    if BuiltInKinds.confidential.contains(scope.resource) {
      body = try cipher.seal(
        body,
        at: BodyPlace(
          resource: scope.resource.description, namespace: key.namespace, name: key.name, uid: object.metadata.uid))
    }
    let write = try connection.statement("INSERT OR REPLACE INTO objects VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    bind(write, scope, key)
    write.bind(5, Int64(bitPattern: version))
    write.bind(6, body)
    try write.run()
  }

  func remove(_ key: ObjectKey, in scope: ScopeName) throws {
    let delete = try connection.statement(
      "DELETE FROM objects WHERE resource = ?1 AND scope = ?2 AND namespace = ?3 AND name = ?4")
    bind(delete, scope, key)
    try delete.run()
  }

  private func bind(_ statement: Statement, _ scope: ScopeName, _ key: ObjectKey) {
    statement.bind(1, scope.resource.description)
    statement.bind(2, scope.index)
    statement.bind(3, key.namespace)
    statement.bind(4, key.name)
  }

  /// Keys and versions of one scope.
  func versions(in scope: ScopeName) throws -> [(key: ObjectKey, version: UInt64)] {
    let read = try connection.statement(
      "SELECT namespace, name, version FROM objects WHERE resource = ?1 AND scope = ?2")
    read.bind(1, scope.resource.description)
    read.bind(2, scope.index)
    defer { read.reset() }
    var found: [(key: ObjectKey, version: UInt64)] = []
    while try read.step() {
      found.append(
        (ObjectKey(namespace: read.text(0), name: read.text(1)), UInt64(bitPattern: read.integer(2))))
    }
    return found
  }

  /// Every object of a kind, by namespace and name; of one that several scopes show, the newest.
  func objects(_ resource: ResourceName) throws -> [JSONValue] {
    try bodies(resource, "", key: nil)
  }

  func object(_ resource: ResourceName, _ key: ObjectKey) throws -> JSONValue? {
    try bodies(resource, "AND namespace = ?2 AND name = ?3", key: key).first
  }

  private func bodies(_ resource: ResourceName, _ condition: String, key: ObjectKey?) throws -> [JSONValue] {
    let read = try connection.statement(
      "SELECT namespace, name, max(version), body FROM objects WHERE resource = ?1 \(condition) GROUP BY namespace, name ORDER BY namespace, name"
    )
    read.bind(1, resource.description)
    if let key {
      read.bind(2, key.namespace)
      read.bind(3, key.name)
    }
    defer { read.reset() }
    var found: [JSONValue] = []
    while try read.step() {
      var body = read.blob(3)
      if BuiltInKinds.confidential.contains(resource) {
        let key = ObjectKey(namespace: read.text(0), name: read.text(1))
        // One that another key sealed, or that was altered or moved, is read from the cluster again.
        guard let (opened, place) = try? cipher.open(body), place.isAt(resource, key) else { continue }
        body = opened
      }
      found.append(try JSONValue(parsing: body))
    }
    return found
  }
}

/// One of a kind's scopes.
package struct ScopeName: Sendable, Hashable {
  package var resource: ResourceName
  package var index: Int

  package init(resource: ResourceName, index: Int) {
    self.resource = resource
    self.index = index
  }
}

/// Why the cluster's objects cannot be kept: one line that says where and what to do.
public struct CacheError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public var description: String { message }
}
