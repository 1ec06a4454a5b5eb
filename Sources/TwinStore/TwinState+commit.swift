internal import DeviceKit
internal import Documents

extension TwinState {
  /// Gathers what is to be written: removals, settled desired states, `plans`' rows and up to `limit` values that the
  /// `reported` groups' properties have.
  mutating func takeCommit(reported: [Int], plans: [DesiredPlan] = [], now: Timestamp, limit: Int = .max) -> TwinCommit
  {
    var commit = TwinCommit()
    commit.removedDevices = removedRows
    removedRows = []
    var claimed: Set<Int64> = []
    for (twin, property) in dirtyDesired {
      guard twins[twin].isPresent, property < twins[twin].properties.count,
        twins[twin].properties[property].isDesiredDirty
      else { continue }
      twins[twin].properties[property].isDesiredDirty = false
      claim(twin, property, &commit, &claimed)
      commit.desired.append(DesiredRow(twins[twin].properties[property]))
      commit.desiredSources.append((twin, property, twins[twin].rowID))
    }
    dirtyDesired = []
    for plan in plans where twins[plan.twin].isPresent && twins[plan.twin].rowID == plan.rowID {
      for (step, row) in zip(plan.steps, rows(of: plan, now: now)) {
        claim(plan.twin, step.property, &commit, &claimed)
        commit.desired.append(row)
      }
      if let receipt = plan.receipt {
        if !twins[plan.twin].hasRow, claimed.insert(-plan.rowID).inserted { claim(plan.twin, &commit) }
        commit.commands.append(receipt)
      }
      if let policy = plan.policy { commit.policies.append((plan.rowID, policy)) }
    }
    takeHistory(plans, reported: !reported.isEmpty, &commit, &claimed, now: now)
    for group in reported where commit.reported.count < limit {
      takeReported(group, &commit, &claimed, limit: limit - commit.reported.count)
    }
    if version + Self.versionBlock / 2 > versionMark { commit.versionMark = version + Self.versionBlock }
    return commit
  }

  /// In the order of the points, which is nearly that of the rows: a page of the file is touched once.
  private mutating func takeReported(
    _ group: Int, _ commit: inout TwinCommit, _ claimed: inout Set<Int64>, limit: Int
  ) {
    var dirty: [UInt32] = []
    swap(&dirty, &groups[group].dirty)
    dirty.sort()
    let count = Swift.min(limit, dirty.count)
    commit.reported.reserveCapacity(commit.reported.count + count)
    for point in dirty.prefix(count) {
      let slot = slots[Int(point)]
      slots[Int(point)].flags.remove(.dirty)
      guard slot.twin >= 0, slot.flags.contains(.dirty) else { continue }
      let twin = Int(slot.twin)
      let property = Int(slot.property)
      if !twins[twin].properties[property].hasRow { claim(twin, property, &commit, &claimed) }
      commit.reported.append(
        ReportedRow(
          property: twins[twin].properties[property].rowID, point: point, kind: slot.kind, payload: slot.payload,
          side: slot.kind == .side ? sides[point] : nil, quality: slot.quality,
          cause: slot.flags.contains(.hasCause) ? causes[point] ?? "" : "", sourceTime: slot.sourceTime,
          gatewayTime: slot.gatewayTime, version: slot.version))
    }
    dirty.removeFirst(count)
    swap(&dirty, &groups[group].dirty)
  }

  /// Sees to it that the rows that name a property are in the commit, unless they are on disk already.
  func claim(_ twin: Int, _ property: Int, _ commit: inout TwinCommit, _ claimed: inout Set<Int64>) {
    let record = twins[twin]
    if !record.hasRow, claimed.insert(-record.rowID).inserted {
      claim(twin, &commit)
    }
    let entry = record.properties[property]
    if !entry.hasRow, claimed.insert(entry.rowID).inserted {
      commit.properties.append(PropertyRow(id: entry.rowID, device: record.rowID, name: entry.name))
      commit.twinProperties.append((twin, property, record.rowID))
    }
  }

  func claim(_ twin: Int, _ commit: inout TwinCommit) {
    let record = twins[twin]
    commit.devices.append(
      DeviceRow(id: record.rowID, key: record.key, uid: record.uid, created: record.created, policy: record.policy))
    commit.twins.append((twin, record.rowID))
  }

  mutating func succeeded(_ commit: TwinCommit) {
    for (twin, rowID) in commit.twins {
      if twins[twin].rowID == rowID, twins[twin].isPresent {
        twins[twin].hasRow = true
      } else {
        // Removed while its first row was being written.
        removedRows.append(rowID)
        wantsCommit = true
      }
    }
    for (twin, property, rowID) in commit.twinProperties where isStill(twin, property, rowID) {
      twins[twin].properties[property].hasRow = true
    }
    if let mark = commit.versionMark { versionMark = mark }
    if !commit.history.isEmpty { history.succeeded() }
    statistics.historyRowsWritten += commit.history.count
    statistics.commits += 1
    statistics.desiredRowsWritten += commit.desired.count
    statistics.reportedRowsWritten += commit.reported.count
  }

  mutating func failed(_ commit: TwinCommit) {
    statistics.failedCommits += 1
    if !commit.history.isEmpty { history.failed() }
    removedRows += commit.removedDevices
    for (twin, property, rowID) in commit.desiredSources where isStill(twin, property, rowID) {
      guard !twins[twin].properties[property].isDesiredDirty else { continue }
      twins[twin].properties[property].isDesiredDirty = true
      dirtyDesired.append((twin, property))
    }
    for row in commit.reported where !slots[Int(row.point)].flags.contains(.dirty) {
      guard slots[Int(row.point)].twin >= 0 else { continue }
      slots[Int(row.point)].flags.insert(.dirty)
      groups[Int(slots[Int(row.point)].group)].dirty.append(row.point)
    }
  }

  /// Sees to it that all that is worth a row is written anew, into a file that has none.
  mutating func forgetRows() {
    removedRows = []
    versionMark = 0
    for twin in twins.indices where twins[twin].isPresent {
      twins[twin].hasRow = false
      for property in twins[twin].properties.indices {
        twins[twin].properties[property].hasRow = false
        let entry = twins[twin].properties[property]
        if entry.machine.wish != nil || entry.specSeen != nil || entry.drift != nil {
          markDesired(twin, property)
          wantsCommit = true
        }
        let slot = slots[Int(entry.point.index)]
        guard slot.kind != .none || slot.version > 0, !slot.flags.contains(.dirty) else { continue }
        slots[Int(entry.point.index)].flags.insert(.dirty)
        groups[Int(slot.group)].dirty.append(entry.point.index)
      }
    }
  }

  private func isStill(_ twin: Int, _ property: Int, _ rowID: Int64) -> Bool {
    twins[twin].isPresent && twins[twin].rowID == rowID && property < twins[twin].properties.count
  }

  /// Places what the file holds; values were true when the gateway stopped and are Uncertain until they are read again.
  mutating func load(_ contents: TwinContents) {
    version = contents.versionMark
    versionMark = contents.versionMark
    lastRemoval = contents.versionMark
    nextDeviceRow = (contents.devices.map(\.id).max() ?? 0) + 1
    nextPropertyRow = Swift.max(contents.properties.map(\.id).max() ?? 0, contents.lastHistoryProperty) + 1
    // Rises over restarts even where everything was pruned: no more things happen than versions are reserved.
    history.nextID = Swift.max(contents.lastHistory + 1, Int64(clamping: contents.versionMark))
    var twinOfRow: [Int64: Int] = [:]
    for row in contents.devices {
      var record = TwinRecord(
        key: row.key, rowID: row.id, uid: row.uid, created: row.created, createdVersion: version, version: version,
        desiredVersion: version)
      record.hasRow = true
      record.policy = row.policy
      twinOfRow[row.id] = place(record)
    }
    var propertyOfRow: [Int64: (twin: Int, property: Int)] = [:]
    for row in contents.properties {
      guard let twin = twinOfRow[row.device] else { continue }
      var entry = TwinProperty(
        name: row.name, point: points.id(of: PointName(device: twins[twin].key, property: row.name)), rowID: row.id)
      entry.hasRow = true
      propertyOfRow[row.id] = (twin, place(entry, in: twin))
    }
    for row in contents.desired {
      guard let (twin, property) = propertyOfRow[row.property] else { continue }
      let wish = row.value.flatMap { try? JSONValue(parsing: $0) }.map {
        DesiredWish(value: $0, source: DesiredSource(row.source), time: Timestamp(nanoseconds: row.time))
      }
      let record = (try? JSONValue(parsing: row.record)) ?? [:]
      twins[twin].properties[property].machine = DesiredState(wish: wish, record: record)
      twins[twin].properties[property].wishVersion = record["wishVersion"]?.string.flatMap { UInt64($0) } ?? 0
      twins[twin].properties[property].specSeen = row.specSeen.flatMap { try? JSONValue(parsing: $0) }
      twins[twin].properties[property].drift = row.drift.flatMap { try? JSONValue(parsing: $0) }.flatMap(
        DesiredDrift.init)
    }
    for row in contents.reported {
      guard let (twin, property) = propertyOfRow[row.property] else { continue }
      let point = twins[twin].properties[property].point.index
      let slot = Int(point)
      slots[slot].kind = row.kind
      slots[slot].payload = row.payload
      slots[slot].quality = row.quality
      slots[slot].sourceTime = row.sourceTime
      slots[slot].gatewayTime = row.gatewayTime
      slots[slot].version = row.version
      sides[point] = row.side
      if row.quality == .good { slots[slot].flags.insert(.stale) }
      if !row.cause.isEmpty {
        causes[point] = row.cause
        slots[slot].flags.insert(.hasCause)
      }
    }
  }
}
