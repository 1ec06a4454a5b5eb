import CSQLite
import DeviceKit
import Documents
import Glibc
import Logging
import TwinStore

/// Twin persistence: reported values committed through the twins' own path, against the same rows upserted with bare
/// libsqlite3 (WAL, synchronous NORMAL, the same transactions). Two rows: nanoseconds of processor time of the whole
/// process a row, and of wall time, the disk's included.
///
/// 10,000 properties of 500 devices; each round moves all of them, and one round is one transaction of 10,000 rows. The
/// time of the rounds' ingest does not count, the copying out of the twins does. The sides take turns, round by round,
/// and each side's best of five series of rounds counts.
func measureTwinPersistence() async throws -> [Measurement] {
  let place = try BenchPlace()
  let twins = try TwinBenchTwins(directory: place.path("ours"))
  let floor = try TwinBenchFloor(path: place.path("floor.db"), rows: twins.count)
  var processor = Measurement(
    name: "twin persistence, 10,000 rows a commit", ours: .infinity, floor: .infinity, unit: "ns CPU/row")
  var wall = Measurement(name: "the same, wall time", ours: .infinity, floor: .infinity, unit: "ns/row")
  let rounds = 20
  let series = 6
  for turn in 0..<series {
    var (ours, bare) = (Cost(), Cost())
    for round in turn * rounds..<(turn + 1) * rounds {
      twins.move(round)
      var start = Cost.now
      try await twins.flush()
      ours.add(from: start)
      start = Cost.now
      try floor.upsert(round)
      bare.add(from: start)
    }
    // The first series fills pages and caches on both sides.
    guard turn > 0 else { continue }
    let rows = Double(twins.count * rounds)
    processor.ours = min(processor.ours, ours.processor / rows)
    processor.floor = min(processor.floor, bare.processor / rows)
    wall.ours = min(wall.ours, ours.wall / rows)
    wall.floor = min(wall.floor, bare.wall / rows)
  }
  guard twins.store.statistics.reportedRowsWritten == series * rounds * twins.count else {
    throw BenchError("the twins did not write every row")
  }
  await twins.close()
  return [processor, wall]
}

/// Nanoseconds of both clocks.
private struct Cost {
  var processor = 0.0
  var wall = 0.0
  static var now: Cost { Cost(processor: processCPUNanoseconds(), wall: monotonicNanoseconds()) }
  mutating func add(from start: Cost) {
    let end = Cost.now
    processor += end.processor - start.processor
    wall += end.wall - start.wall
  }
}

/// 500 devices of 20 numbers each in a store of their own.
private struct TwinBenchTwins {
  let store: TwinStore
  let ids: [PointID]
  var count: Int { ids.count }

  init(directory: String) throws {
    let points = PointTable()
    // No commit but those that are measured.
    store = try TwinStore.open(
      directory: directory, points: points, logger: .silent, options: .init(reportedInterval: .seconds(86_400)))
    let properties = (0..<20).map { (PropertyDefinition(name: "p\($0)", type: .number), WriteRules()) }
    var ids: [PointID] = []
    for device in 0..<500 {
      let key = DeviceKey(namespace: "default", name: "device-\(device)")
      store.attach(key, properties: properties, writesEnabled: false)
      ids += properties.map { points.id(of: PointName(device: key, property: $0.0.name)) }
    }
    self.ids = ids
  }

  func move(_ round: Int) {
    var batch = SampleBatch()
    batch.reserveCapacity(ids.count)
    for (index, id) in ids.enumerated() {
      batch.append(
        id, kind: .number, payload: (Double(index) + Double(round) / 8).bitPattern, quality: .good,
        sourceTime: 1_700_000_000_000_000_000 + Int64(round), gatewayTime: 1_700_000_000_000_000_001 + Int64(round))
    }
    store.ingest(batch)
  }

  func flush() async throws { try await store.flush() }
  func close() async { await store.close() }
}

/// The same rows in the same table through libsqlite3 alone.
private final class TwinBenchFloor {
  private var database: OpaquePointer?
  private var statement: OpaquePointer?
  private let rows: Int

  init(path: String, rows: Int) throws {
    self.rows = rows
    guard sqlite3_open(path, &database) == SQLITE_OK else { throw BenchError("cannot open \(path)") }
    try run("PRAGMA journal_mode = WAL")
    try run("PRAGMA synchronous = NORMAL")
    try run(
      """
      CREATE TABLE reported (
        property INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value, quality INTEGER NOT NULL, cause TEXT,
        source_time INTEGER NOT NULL, gateway_time INTEGER NOT NULL, version INTEGER NOT NULL)
      """)
    let upsert = """
      INSERT INTO reported VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      ON CONFLICT (property) DO UPDATE SET kind = ?2, value = ?3, quality = ?4, cause = ?5, source_time = ?6,
        gateway_time = ?7, version = ?8
      """
    guard sqlite3_prepare_v2(database, upsert, -1, &statement, nil) == SQLITE_OK else {
      throw BenchError(String(cString: sqlite3_errmsg(database)))
    }
  }

  deinit {
    sqlite3_finalize(statement)
    sqlite3_close(database)
  }

  private func run(_ sql: String) throws {
    guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else {
      throw BenchError(String(cString: sqlite3_errmsg(database)))
    }
  }

  func upsert(_ round: Int) throws {
    try run("BEGIN IMMEDIATE")
    for index in 0..<rows {
      sqlite3_bind_int64(statement, 1, Int64(index + 1))
      sqlite3_bind_int64(statement, 2, 4)
      sqlite3_bind_double(statement, 3, Double(index) + Double(round) / 8)
      sqlite3_bind_int64(statement, 4, 0)
      sqlite3_bind_null(statement, 5)
      sqlite3_bind_int64(statement, 6, 1_700_000_000_000_000_000 + Int64(round))
      sqlite3_bind_int64(statement, 7, 1_700_000_000_000_000_001 + Int64(round))
      sqlite3_bind_int64(statement, 8, Int64(round + 1))
      guard sqlite3_step(statement) == SQLITE_DONE else {
        throw BenchError(String(cString: sqlite3_errmsg(database)))
      }
      sqlite3_reset(statement)
    }
    try run("COMMIT")
  }
}
