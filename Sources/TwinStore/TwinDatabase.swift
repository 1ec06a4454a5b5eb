internal import DeviceKit
internal import Documents
internal import Glibc
internal import SQLite

/// What the file held at start.
struct TwinContents {
  var devices: [DeviceRow] = []
  var properties: [PropertyRow] = []
  var desired: [DesiredRow] = []
  var reported: [ReportedRow] = []
  var versionMark: UInt64 = 0
  var lastHistory: Int64 = 0
  var lastHistoryProperty: Int64 = 0
}

/// `twin.db`: one file, one connection, used by one thread at a time.
///
/// Two durabilities in one file: the connection runs in WAL mode with `synchronous = FULL` around commits that carry
/// desired values and `NORMAL` around those that carry only reported ones. A FULL commit syncs the whole log, so it
/// makes every earlier NORMAL commit durable too; the order of commits is never changed.
struct TwinDatabase {
  let connection: Connection
  private var durability = Connection.Durability.full

  var ledger = HistoryLedger()

  static let schemaVersion: Int64 = 3

  /// The file is not what it was written as; the description says what SQLite found.
  struct Damage: Error, CustomStringConvertible {
    var description: String
  }

  /// Whether what SQLite says of the file at `path` can only come of a file that is not what it was written as.
  static func isDamage(_ error: any Error, path: String) -> Bool {
    if error is Damage { return true }
    guard let error = error as? SQLiteError else { return false }
    // A file that may be written, and yet calls itself read-only (sqlite.org/fileformat2.html, 1.3.3).
    return error.isCorrupt || error.isUnexpected || (error.isReadOnly && access(path, W_OK) == 0)
  }

  /// What callers are told of a failure.
  static func error(_ error: any Error) -> TwinError {
    if let error = error as? TwinError { return error }
    if let error = error as? SQLiteError, error.isFull { return .storage("the disk is full (\(error.message))") }
    return .storage("\(error)")
  }

  /// Opens the file at `path`, making or migrating it. A file of a newer schema is refused; a damaged one throws
  /// ``Damage``.
  init(path: String) throws {
    do {
      try self.init(sound: path)
    } catch let error as SQLiteError where error.isCorrupt {
      throw Damage(description: error.message)
    }
  }

  private init(sound path: String) throws {
    if Self.size(path) == 0, Self.size(path + "-wal") > 0 {
      throw Damage(description: "the file is empty, but its log is not")
    }
    connection = try Connection(path: path, durability: .full)
    try connection.execute(
      "PRAGMA wal_autocheckpoint = \(Self.checkpointPages); PRAGMA journal_size_limit = \(Self.checkpointPages * 4_200)"
    )
    if let fault = try connection.integrityFault() {
      throw Damage(description: fault)
    }
    let found = try connection.userVersion
    guard found <= Self.schemaVersion else {
      throw TwinError.storage(
        "\(path) was written by a newer version (schema \(found), this one knows \(Self.schemaVersion)); run that version or move the file away"
      )
    }
    if found < 1 { try migrateTo1() }
    if found < 2 { try migrateTo2() }
    if found < 3 { try migrateTo3() }
    ledger = try readLedger()
    try endCommands()
    try makeShrinkable()
  }

  /// Lets unused pages be given back in small steps. A file that has pages already is written anew for that; where
  /// there is no space to, it is left as it is and tried again at the next start.
  private func makeShrinkable() throws {
    guard try integer("PRAGMA auto_vacuum") != 2 else { return }
    try connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    do {
      try connection.execute("VACUUM")
    } catch {
      guard error.isFull else { throw error }
    }
  }

  /// Pages in the log before they are copied into the file: 8 MB. A page that several commits wrote is copied once,
  /// which spares the flash; more would cost memory and time at the start.
  private static let checkpointPages = 2_000

  /// Bytes; 0 where there is no such file.
  private static func size(_ path: String) -> Int {
    var found = stat()
    return stat(path, &found) == 0 ? Int(found.st_size) : 0
  }

  private func integer(_ sql: String) throws(SQLiteError) -> Int64 {
    let statement = try connection.statement(sql)
    defer { statement.reset() }
    return try statement.step() ? statement.integer(0) : 0
  }

  /// Gives at most 1 MB of unused pages back, once a quarter of the file and at least 256 KB are unused.
  func vacuumStep() throws(SQLiteError) {
    let free = try integer("PRAGMA freelist_count")
    guard free >= 64, try free * 4 >= integer("PRAGMA page_count") else { return }
    try connection.execute("PRAGMA incremental_vacuum(256)")
  }

  private func migrateTo1() throws {
    try connection.transaction {
      try connection.execute(
        """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE device (
          id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL,
          created INTEGER NOT NULL, UNIQUE (namespace, name));
        CREATE TABLE property (
          id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE, name TEXT NOT NULL,
          UNIQUE (device, name));
        CREATE TABLE reported (
          property INTEGER PRIMARY KEY REFERENCES property ON DELETE CASCADE, kind INTEGER NOT NULL, value,
          quality INTEGER NOT NULL, cause TEXT, source_time INTEGER NOT NULL, gateway_time INTEGER NOT NULL,
          version INTEGER NOT NULL);
        CREATE TABLE desired (
          property INTEGER PRIMARY KEY REFERENCES property ON DELETE CASCADE, value TEXT, source TEXT NOT NULL,
          time INTEGER NOT NULL, spec_seen TEXT, record TEXT NOT NULL);
        PRAGMA user_version = 1;
        """)
    }
  }

  /// Moves a damaged file and its log aside; the new name of the file.
  static func setAside(path: String, now: Timestamp) -> String {
    var aside = "\(path).corrupt-\(now.nanoseconds / 1_000_000_000)"
    while access(aside, F_OK) == 0 { aside += "-" }
    for suffix in ["", "-wal", "-shm"] { rename(path + suffix, aside + suffix) }
    removeOldest(besides: aside, of: path)
    return aside
  }

  /// A disk that fails again and again must not fill up with damaged files: the latest three stay.
  private static func removeOldest(besides aside: String, of path: String) {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(path + ".corrupt-*", 0, nil, &found) == 0 else { return }
    let names = (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    let files = names.filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") && $0 != aside }
    for file in files.dropLast(2) { for suffix in ["", "-wal", "-shm"] { unlink(file + suffix) } }
  }

  static let upsertReported = """
    INSERT INTO reported (property, kind, value, quality, cause, source_time, gateway_time, version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (property) DO UPDATE SET kind = ?2, value = ?3, quality = ?4, cause = ?5, source_time = ?6,
      gateway_time = ?7, version = ?8
    """

  /// Writes everything in one transaction: all of it is in the file afterwards, or none.
  mutating func write(_ commit: TwinCommit) throws {
    let needed: Connection.Durability =
      commit.desired.isEmpty && commit.removedDevices.isEmpty && commit.policies.isEmpty && commit.commands.isEmpty
        && commit.versionMark == nil && commit.history.allSatisfy { $0.kind == .reported } ? .normal : .full
    try setDurability(needed)
    let orphans = try orphans(of: commit.removedDevices)
    do {
      try writeOnce(commit)
    } catch let error as SQLiteError where error.isFull {
      // The log can be reused from its start once the file has what it holds; then it need not grow.
      try? connection.execute("PRAGMA wal_checkpoint(RESTART)")
      try writeOnce(commit)
    }
    ledger.add(commit.history)
    ledger.orphans.formUnion(orphans)
  }

  private func writeOnce(_ commit: TwinCommit) throws {
    try connection.transaction {
      let remove = try connection.statement("DELETE FROM device WHERE id = ?1")
      for id in commit.removedDevices {
        remove.bind(1, id)
        try remove.run()
      }
      try writeNames(commit)
      try writeDesired(commit.desired)
      try writeReported(commit.reported)
      try writePolicies(commit.policies)
      try write(commit.commands)
      try writeHistory(commit.history)
      if let mark = commit.versionMark { try writeMark(mark) }
    }
  }

  mutating func setDurability(_ needed: Connection.Durability) throws(SQLiteError) {
    guard needed != durability else { return }
    try connection.execute("PRAGMA synchronous = \(needed.rawValue)")
    durability = needed
  }

  private func writeMark(_ mark: UInt64) throws(SQLiteError) {
    let statement = try connection.statement(
      "INSERT INTO meta VALUES ('version', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1")
    statement.bind(1, Int64(bitPattern: mark))
    try statement.run()
  }

  private func writeNames(_ commit: TwinCommit) throws(SQLiteError) {
    let device = try connection.statement("INSERT OR IGNORE INTO device VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    for row in commit.devices {
      device.bind(1, row.id)
      device.bind(2, row.key.namespace)
      device.bind(3, row.key.name)
      device.bind(4, row.uid)
      device.bind(5, row.created.nanoseconds)
      device.bind(6, row.policy.rawValue)
      try device.run()
    }
    let property = try connection.statement("INSERT OR IGNORE INTO property VALUES (?1, ?2, ?3)")
    for row in commit.properties {
      property.bind(1, row.id)
      property.bind(2, row.device)
      property.bind(3, row.name)
      try property.run()
    }
  }

  private func writeDesired(_ rows: [DesiredRow]) throws(SQLiteError) {
    let upsert = try connection.statement(
      """
      INSERT INTO desired VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (property) DO UPDATE
      SET value = ?2, source = ?3, time = ?4, spec_seen = ?5, record = ?6, drift = ?7
      """)
    let delete = try connection.statement("DELETE FROM desired WHERE property = ?1")
    for row in rows {
      if row.isEmpty {
        delete.bind(1, row.property)
        try delete.run()
        continue
      }
      upsert.bind(1, row.property)
      upsert.bind(2, row.value)
      upsert.bind(3, row.source)
      upsert.bind(4, row.time)
      upsert.bind(5, row.specSeen)
      upsert.bind(6, row.record)
      upsert.bind(7, row.drift)
      try upsert.run()
    }
  }

  private func writeReported(_ rows: [ReportedRow]) throws(SQLiteError) {
    let upsert = try connection.statement(Self.upsertReported)
    for row in rows {
      upsert.bind(1, row.property)
      upsert.bind(2, Int64(row.kind.rawValue))
      switch row.kind {
      case .none: upsert.bindNull(3)
      case .boolean, .integer, .unsigned: upsert.bind(3, Int64(bitPattern: row.payload))
      case .number: upsert.bind(3, Double(bitPattern: row.payload))
      case .side:
        switch row.side {
        case .string(let text)?: upsert.bind(3, text)
        case .object(let json)?: upsert.bind(3, json.serialised())
        default: upsert.bindNull(3)
        }
      }
      upsert.bind(4, Int64(row.quality.rawValue))
      if row.cause.isEmpty { upsert.bindNull(5) } else { upsert.bind(5, row.cause) }
      upsert.bind(6, row.sourceTime)
      upsert.bind(7, row.gatewayTime)
      upsert.bind(8, Int64(bitPattern: row.version))
      try upsert.run()
    }
  }
}
