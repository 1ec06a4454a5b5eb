internal import DeviceKit
internal import Documents
internal import SQLite

extension TwinContents {
  /// What cannot be right though SQLite can read it; nil where nothing is.
  var fault: String? {
    let limit: Int64 = 1 << 48
    if versionMark >= 1 << 62 { return "the version mark is \(versionMark)" }
    if let row = devices.first(where: { !(1..<limit).contains($0.id) }) { return "a device has the number \(row.id)" }
    if let row = properties.first(where: { !(1..<limit).contains($0.id) }) {
      return "a property has the number \(row.id)"
    }
    if let row = reported.first(where: { $0.version > versionMark }) {
      return "a value has the version \(row.version), above the mark \(versionMark)"
    }
    return nil
  }
}

extension TwinDatabase {
  /// Opens the file at `path` and places what it holds in `empty`; throws ``Damage`` for what cannot be right.
  static func opened(path: String, _ empty: TwinState) throws -> (database: TwinDatabase, state: TwinState) {
    var database = try TwinDatabase(path: path)
    let contents = try database.load()
    if let fault = contents.fault { throw Damage(description: fault) }
    var state = empty
    state.load(contents)
    // No version is used before the file allows it.
    var first = TwinCommit()
    first.versionMark = state.version + TwinState.versionBlock
    try database.write(first)
    state.versionMark = state.version + TwinState.versionBlock
    return (database, state)
  }

  /// Reads the whole file.
  func load() throws(SQLiteError) -> TwinContents {
    var contents = TwinContents()
    contents.lastHistory = ledger.lastID
    contents.lastHistoryProperty = ledger.counts.keys.max() ?? 0
    try each("SELECT value FROM meta WHERE key = 'version'") { row in
      contents.versionMark = UInt64(bitPattern: row.integer(0))
    }
    try each("SELECT id, namespace, name, uid, created, policy FROM device ORDER BY id") { row in
      contents.devices.append(
        DeviceRow(
          id: row.integer(0), key: DeviceKey(namespace: row.text(1), name: row.text(2)), uid: row.text(3),
          created: Timestamp(nanoseconds: row.integer(4)), policy: DesiredPolicy(rawValue: row.text(5)) ?? .latestWins))
    }
    try each("SELECT id, device, name FROM property ORDER BY id") { row in
      contents.properties.append(PropertyRow(id: row.integer(0), device: row.integer(1), name: row.text(2)))
    }
    try each("SELECT property, value, source, time, spec_seen, record, drift FROM desired ORDER BY property") { row in
      contents.desired.append(
        DesiredRow(
          property: row.integer(0), value: row.isNull(1) ? nil : row.text(1), source: row.text(2),
          time: row.integer(3), specSeen: row.isNull(4) ? nil : row.text(4), record: row.text(5),
          drift: row.isNull(6) ? nil : row.text(6)))
    }
    try each(
      "SELECT property, kind, value, quality, cause, source_time, gateway_time, version, typeof(value) FROM reported"
    ) { row in
      contents.reported.append(Self.reported(row))
    }
    return contents
  }

  private static func reported(_ row: Statement) -> ReportedRow {
    var kind = UInt8(exactly: row.integer(1)).flatMap(SampleKind.init(rawValue:)) ?? .none
    var payload: UInt64 = 0
    var side: Value?
    switch kind {
    case .none: break
    case .boolean, .integer, .unsigned: payload = UInt64(bitPattern: row.integer(2))
    case .number: payload = row.double(2).bitPattern
    case .side:
      side =
        row.text(8) == "text"
        ? .string(row.text(2)) : (try? JSONValue(parsing: row.blob(2))).map { .object($0) }
      if side == nil { kind = .none }
    }
    return ReportedRow(
      property: row.integer(0), point: 0, kind: kind, payload: payload, side: side,
      quality: UInt8(exactly: row.integer(3)).flatMap(Quality.init(rawValue:)) ?? .bad, cause: row.text(4),
      sourceTime: row.integer(5), gatewayTime: row.integer(6), version: UInt64(bitPattern: row.integer(7)))
  }

  private func each(_ sql: String, _ body: (Statement) -> Void) throws(SQLiteError) {
    let statement = try connection.statement(sql)
    defer { statement.reset() }
    while try statement.step() { body(statement) }
  }
}
