internal import DeviceKit
internal import Documents
internal import SQLite

/// A command with an idempotency key, as it is stored: before it is sent, and again with its outcome.
struct CommandRow: Sendable, Hashable {
  var device: Int64
  var key: String
  var property: String
  /// JSON.
  var value: String
  var by: String
  var time: Int64
  /// JSON; nil: it may have been sent, and nobody knows what came of it.
  var outcome: String?
}

extension TwinDatabase {
  /// Outcomes are answered again for so long, and for so many commands of each device.
  static let commandLife = Duration.seconds(24 * 3_600)
  static let commandsPerDevice = 100

  /// Schema 2: commands, local changes that the spec overrules, and whose wish counts.
  func migrateTo2() throws {
    try connection.transaction {
      try connection.execute(
        """
        ALTER TABLE device ADD COLUMN policy TEXT NOT NULL DEFAULT 'LatestWins';
        ALTER TABLE desired ADD COLUMN drift TEXT;
        CREATE TABLE command (
          id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE, key TEXT NOT NULL,
          property TEXT NOT NULL, value TEXT NOT NULL, by TEXT NOT NULL, time INTEGER NOT NULL, outcome TEXT,
          UNIQUE (device, key));
        PRAGMA user_version = 2;
        """)
    }
  }

  /// What an earlier run sent, or was about to, and did not see the end of: nobody can know it any more.
  func endCommands() throws {
    let update = try connection.statement("UPDATE command SET outcome = ?1 WHERE outcome IS NULL")
    let message = "the gateway stopped before the outcome was known; the device may have taken the command"
    update.bind(1, TwinCommandOutcome(state: .unknown, message: message).json.description)
    try update.run()
  }

  func writePolicies(_ policies: [(device: Int64, policy: DesiredPolicy)]) throws {
    let update = try connection.statement("UPDATE device SET policy = ?2 WHERE id = ?1")
    for (device, policy) in policies {
      update.bind(1, device)
      update.bind(2, policy.rawValue)
      try update.run()
    }
  }

  func write(_ rows: [CommandRow]) throws {
    for row in rows {
      // A device that is gone takes its commands along.
      let upsert = try connection.statement(
        """
        INSERT INTO command (device, key, property, value, by, time, outcome)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM device WHERE id = ?1)
        ON CONFLICT (device, key) DO UPDATE SET outcome = ?7
        """)
      upsert.bind(1, row.device)
      upsert.bind(2, row.key)
      upsert.bind(3, row.property)
      upsert.bind(4, row.value)
      upsert.bind(5, row.by)
      upsert.bind(6, row.time)
      upsert.bind(7, row.outcome)
      try upsert.run()
      let trim = try connection.statement(
        """
        DELETE FROM command WHERE device = ?1 AND outcome IS NOT NULL AND (time < ?2 OR id NOT IN (
          SELECT id FROM command WHERE device = ?1 ORDER BY id DESC LIMIT ?3))
        """)
      trim.bind(1, row.device)
      trim.bind(2, row.time - Self.commandLife.nanoseconds)
      trim.bind(3, Self.commandsPerDevice)
      try trim.run()
    }
  }

  /// The command that was given under `key`; nil: none, or too long ago.
  func command(_ key: String, of device: Int64, now: Timestamp) throws -> CommandRow? {
    let select = try connection.statement(
      "SELECT property, value, by, time, outcome FROM command WHERE device = ?1 AND key = ?2 AND time >= ?3")
    defer { select.reset() }
    select.bind(1, device)
    select.bind(2, key)
    select.bind(3, now.nanoseconds - Self.commandLife.nanoseconds)
    guard try select.step() else { return nil }
    return CommandRow(
      device: device, key: key, property: select.text(0), value: select.text(1), by: select.text(2),
      time: select.integer(3), outcome: select.isNull(4) ? nil : select.text(4))
  }
}
