internal import DeviceKit
internal import Documents
internal import SQLite

/// How much history the file holds.
struct HistoryLedger {
  var counts: [Int64: Int] = [:]
  var bytes = 0
  var lastID: Int64 = 0
  /// Properties that are gone, whose entries go in their turn.
  var orphans: Set<Int64> = []

  mutating func add(_ rows: [HistoryRow]) {
    for row in rows {
      counts[row.propertyRow, default: 0] += 1
      bytes += row.body.utf8.count + HistoryRow.overhead
      lastID = Swift.max(lastID, row.id)
    }
  }

  /// Takes note that a property has no entries after all.
  mutating func forget(_ property: Int64) {
    counts[property] = nil
    orphans.remove(property)
  }

  mutating func remove(_ victims: [TwinDatabase.Victim]) {
    for victim in victims {
      bytes -= victim.bytes
      counts[victim.property, default: 1] -= 1
      if counts[victim.property] == 0 {
        forget(victim.property)
      }
    }
  }
}

extension TwinDatabase {
  /// An entry that is to go.
  struct Victim {
    var id: Int64
    var property: Int64
    var bytes: Int
  }

  /// Schema 3: what happened. No foreign key: the entries of a device that is gone are too many for one commit.
  func migrateTo3() throws {
    try connection.transaction {
      try connection.execute(
        """
        CREATE TABLE history (
          id INTEGER PRIMARY KEY, property INTEGER NOT NULL, version INTEGER NOT NULL, time INTEGER NOT NULL,
          kind INTEGER NOT NULL, body TEXT NOT NULL);
        CREATE INDEX history_property ON history (property);
        PRAGMA user_version = 3;
        """)
    }
  }

  func readLedger() throws(SQLiteError) -> HistoryLedger {
    var ledger = HistoryLedger()
    let select = try connection.statement(
      """
      SELECT property, count(*), sum(length(CAST(body AS BLOB))), max(id),
        NOT EXISTS (SELECT 1 FROM property WHERE property.id = history.property)
      FROM history GROUP BY property
      """)
    defer { select.reset() }
    while try select.step() {
      let count = Int(select.integer(1))
      ledger.counts[select.integer(0)] = count
      ledger.bytes += Int(select.integer(2)) + count * HistoryRow.overhead
      ledger.lastID = Swift.max(ledger.lastID, select.integer(3))
      if select.integer(4) != 0 { ledger.orphans.insert(select.integer(0)) }
    }
    return ledger
  }

  func writeHistory(_ rows: [HistoryRow]) throws(SQLiteError) {
    guard !rows.isEmpty else { return }
    let insert = try connection.statement("INSERT INTO history VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    for row in rows {
      insert.bind(1, row.id)
      insert.bind(2, row.propertyRow)
      insert.bind(3, Int64(bitPattern: row.version))
      insert.bind(4, row.time)
      insert.bind(5, row.kind.rawValue)
      insert.bind(6, row.body)
      try insert.run()
    }
  }

  /// The properties of devices that are about to be removed, as far as they have a history.
  func orphans(of devices: [Int64]) throws(SQLiteError) -> Set<Int64> {
    var orphans: Set<Int64> = []
    let select = try connection.statement("SELECT id FROM property WHERE device = ?1")
    for device in devices {
      select.reset()
      select.bind(1, device)
      while try select.step() {
        if ledger.counts[select.integer(0)] != nil { orphans.insert(select.integer(0)) }
      }
    }
    select.reset()
    return orphans
  }

  // MARK: Bounds

  /// Removes at most `step` entries, in a transaction of its own, and returns how many: 0 once all bounds are kept.
  mutating func pruneHistory(_ limits: TwinHistoryLimits, now: Timestamp, step: Int) throws -> Int {
    let victims = try victims(limits, now: now, step: step)
    guard !victims.isEmpty else { return 0 }
    try setDurability(.normal)
    try connection.transaction {
      let delete = try connection.statement("DELETE FROM history WHERE id = ?1")
      for victim in victims {
        delete.bind(1, victim.id)
        try delete.run()
      }
    }
    ledger.remove(victims)
    return victims.count
  }

  private mutating func victims(_ limits: TwinHistoryLimits, now: Timestamp, step: Int) throws -> [Victim] {
    while let orphan = ledger.orphans.first {
      let found = try oldest(step, of: orphan)
      if !found.isEmpty { return found }
      ledger.forget(orphan)
    }
    let expiry = now.nanoseconds - limits.age.nanoseconds
    let expired = try oldest(step) { _, time in time < expiry }
    if !expired.isEmpty { return expired }
    let limit = limits.entries(amongst: ledger.counts.count)
    while let (property, count) = ledger.counts.first(where: { $0.value > limit }) {
      // Some more than need be, so that not every further entry costs a removal.
      let found = try oldest(Swift.min(step, count - limit + limit / 10), of: property)
      if !found.isEmpty { return found }
      ledger.forget(property)
    }
    guard ledger.bytes > limits.bytes else { return [] }
    let target = limits.bytes - limits.bytes / 20
    return try oldest(step) { freed, _ in ledger.bytes - freed > target }
  }

  private func oldest(_ count: Int, of property: Int64) throws(SQLiteError) -> [Victim] {
    let select = try connection.statement(
      "SELECT id, length(CAST(body AS BLOB)) FROM history WHERE property = ?1 ORDER BY id LIMIT ?2")
    defer { select.reset() }
    select.bind(1, property)
    select.bind(2, count)
    var victims: [Victim] = []
    while try select.step() {
      victims.append(
        Victim(id: select.integer(0), property: property, bytes: Int(select.integer(1)) + HistoryRow.overhead))
    }
    return victims
  }

  /// From the oldest on, while `isVictim` holds of the bytes of those before it and of its time.
  private func oldest(_ count: Int, while isVictim: (Int, Int64) -> Bool) throws(SQLiteError) -> [Victim] {
    let select = try connection.statement(
      "SELECT id, property, length(CAST(body AS BLOB)), time FROM history ORDER BY id LIMIT ?1")
    defer { select.reset() }
    select.bind(1, count)
    var victims: [Victim] = []
    var freed = 0
    while try select.step(), isVictim(freed, select.integer(3)) {
      let bytes = Int(select.integer(2)) + HistoryRow.overhead
      freed += bytes
      victims.append(Victim(id: select.integer(0), property: select.integer(1), bytes: bytes))
    }
    return victims
  }

  // MARK: Reading

  /// At most `query.limit` + 1 entries, the newest first, of one property or of all of a device.
  static func history(
    _ query: TwinHistoryQuery, device: Int64, property: Int64?, names: [Int64: String], in connection: Connection
  ) throws(SQLiteError) -> [TwinHistoryEntry] {
    let place = property == nil ? "IN (SELECT id FROM property WHERE device = ?1)" : "= ?1"
    let select = try connection.statement(
      """
      SELECT id, property, version, time, kind, body FROM history
      WHERE property \(place) AND id < ?2 AND time >= ?3 AND time < ?4 AND (?5 >> kind) & 1
      ORDER BY id DESC LIMIT ?6
      """)
    defer { select.reset() }
    select.bind(1, property ?? device)
    select.bind(2, query.before ?? .max)
    select.bind(3, query.since?.nanoseconds ?? .min)
    select.bind(4, query.until?.nanoseconds ?? .max)
    select.bind(5, query.kindMask)
    select.bind(6, query.limit + 1)
    var entries: [TwinHistoryEntry] = []
    while try select.step() {
      guard let name = names[select.integer(1)],
        let kind = TwinHistoryEntry.Kind(rawValue: Int(select.integer(4)))
      else { continue }
      entries.append(
        TwinHistoryEntry(
          id: select.integer(0), version: UInt64(bitPattern: select.integer(2)),
          time: Timestamp(nanoseconds: select.integer(3)), property: name, kind: kind,
          details: (try? JSONValue(parsing: select.blob(5))) ?? [:]))
    }
    return entries
  }

  /// The file's path, as SQLite has it.
  var path: String? {
    guard let select = try? connection.statement("PRAGMA database_list") else { return nil }
    defer { select.reset() }
    return (try? select.step()) == true ? select.text(2) : nil
  }
}
