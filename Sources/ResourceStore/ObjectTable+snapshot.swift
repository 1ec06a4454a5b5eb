internal import Documents
internal import Resources
internal import SQLite

extension ObjectTable {
  /// An object that changed after some version, with what it was at that version.
  private struct Earlier {
    var key: ObjectKey
    /// The first change after that version.
    var change: UInt64
    /// 0: the object was not there.
    var version: UInt64
  }

  /// Visits a kind's objects as they stood at `moment`, sorted by namespace and name: what changed since is put back
  /// by the log, which must reach back to that version.
  func scan(
    _ resource: ResourceName, namespace: String?, after start: ObjectKey?, asOf moment: UInt64,
    _ visit: (_ key: ObjectKey, _ version: UInt64, _ body: @escaping () throws -> [UInt8]) throws -> Bool
  ) throws {
    var earlier = try changed(resource, namespace, after: start, since: moment)[...]
    guard !earlier.isEmpty else { return try scan(resource, namespace: namespace, after: start, visit) }
    func visitEarlier(before key: ObjectKey?) throws -> Bool {
      while let first = earlier.first, key.map({ first.key < $0 }) ?? true {
        earlier.removeFirst()
        guard first.version > 0 else { continue }
        guard try visit(first.key, first.version, { try body(resource, before: first) }) else { return false }
      }
      return true
    }
    var goesOn = true
    try scan(resource, namespace: namespace, after: start) { key, version, body in
      goesOn = try visitEarlier(before: key)
      if goesOn, version <= moment { goesOn = try visit(key, version, body) }
      return goesOn
    }
    if goesOn { _ = try visitEarlier(before: nil) }
  }

  /// How many objects stood behind `start` at `moment`.
  func count(_ resource: ResourceName, namespace: String?, after start: ObjectKey, asOf moment: UInt64) throws -> Int {
    let earlier = try changed(resource, namespace, after: start, since: moment)
    var count = try count(resource, namespace: namespace, after: start)
    for object in earlier {
      if try row(resource, object.key) != nil { count -= 1 }
      if object.version > 0 { count += 1 }
    }
    return count
  }

  private func changed(
    _ resource: ResourceName, _ namespace: String?, after start: ObjectKey?, since version: UInt64
  ) throws(SQLiteError) -> [Earlier] {
    // Columns beside min() are those of the row with the minimum (sqlite.org/lang_select.html, section 2.5).
    let statement = try connection.statement(
      """
      SELECT namespace, name, min(version), prior FROM changes WHERE resource = ?1 AND version > ?2
      GROUP BY namespace, name ORDER BY namespace, name
      """)
    defer { statement.reset() }
    statement.bind(1, resource.description)
    statement.bind(2, Int64(version))
    var found: [Earlier] = []
    while try statement.step() {
      let key = ObjectKey(namespace: statement.text(0), name: statement.text(1))
      guard namespace == nil || namespace == key.namespace, start.map({ $0 < key }) ?? true else { continue }
      found.append(Earlier(key: key, change: UInt64(statement.integer(2)), version: UInt64(statement.integer(3))))
    }
    return found
  }

  private func body(_ resource: ResourceName, before earlier: Earlier) throws -> [UInt8] {
    let statement = try connection.statement(
      """
      SELECT coalesce(previous, (SELECT body FROM changes AS old WHERE old.version = changes.prior))
      FROM changes WHERE version = ?1
      """)
    defer { statement.reset() }
    statement.bind(1, Int64(earlier.change))
    guard try statement.step(), !statement.isNull(0) else {
      throw APIStatus.expired("the state of \(resource) \(earlier.key) before version \(earlier.change) is gone")
    }
    return try opened(statement.blob(0), of: resource)
  }
}
