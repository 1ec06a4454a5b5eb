public import DeviceKit
internal import Dispatch
internal import Documents
internal import Logging
internal import SQLite
internal import Synchronization

extension TwinStore {
  /// What happened to a device's properties: the newest entries that `query` asks for, those included that are not on
  /// disk yet. Reads through a connection of its own and holds no commit up.
  ///
  /// Throws ``TwinError/notFound(_:)`` without a twin, and ``TwinError/invalid(_:)`` for a property it does not have.
  public func history(_ query: TwinHistoryQuery, of device: DeviceKey) async throws(TwinError) -> TwinHistoryPage {
    let result: Result<TwinHistoryPage, TwinError> = await withCheckedContinuation { continuation in
      historyQueue.async { [self] in
        do throws(TwinError) {
          continuation.resume(returning: .success(try readHistory(query, device)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  private func readHistory(_ query: TwinHistoryQuery, _ device: DeviceKey) throws(TwinError) -> TwinHistoryPage {
    struct Place {
      var row: Int64
      var property: Int64?
      var names: [Int64: String] = [:]
      var unwritten: [HistoryRow]
      var version: UInt64
    }
    // What is unwritten now may be written when the file is read: known by its id, it counts once.
    let found = state.withLock { state -> Result<Place, TwinError> in
      guard let index = state.indexes[device] else { return .failure(.notFound(device)) }
      let twin = state.twins[index]
      var place = Place(row: twin.rowID, unwritten: [], version: twin.version)
      for property in twin.properties { place.names[property.rowID] = property.name }
      if let name = query.property {
        guard let property = twin.indexes[name] else {
          return .failure(.invalid([.init(property: name, message: state.validator.unknown(name).message)]))
        }
        place.property = twin.properties[property].rowID
      }
      place.unwritten = state.history.unwritten.filter { row in
        row.deviceRow == twin.rowID && row.propertyRow == place.property ?? row.propertyRow && query.matches(row)
      }
      return .success(place)
    }
    let place = try found.get()
    var entries: [Int64: TwinHistoryEntry] = [:]
    for row in place.unwritten {
      entries[row.id] = TwinHistoryEntry(
        id: row.id, version: row.version, time: Timestamp(nanoseconds: row.time),
        property: place.names[row.propertyRow] ?? "", kind: row.kind,
        details: (try? JSONValue(parsing: row.body)) ?? [:])
    }
    guard let path = database.withLock({ $0?.path }) else { throw .closed }
    do {
      let connection = try Connection(path: path, readOnly: true)
      for entry in try TwinDatabase.history(
        query, device: place.row, property: place.property, names: place.names, in: connection)
      {
        entries[entry.id] = entry
      }
    } catch {
      throw .storage("\(error)")
    }
    let newest = entries.values.sorted { $0.id > $1.id }
    let page = newest.prefix(query.limit)
    return TwinHistoryPage(
      entries: page.reversed(), older: newest.count > page.count ? page.last?.id : nil, version: place.version)
  }

  /// Records how a command ended, for callers that carry commands out by other ways than ``carryOut(_:on:)``.
  public func record(_ command: TwinCommand, _ outcome: TwinCommandOutcome, of device: DeviceKey) {
    locked {
      $0.noteCommand(
        command.property, command.value, by: .command(user: command.user), outcome, of: device, now: clock.now)
    }
  }

  // MARK: Bounds

  /// Entries that one step removes, and the pause after it: other commits come in between.
  private static let pruneStep = 256
  static let prunePause = Duration.milliseconds(100)

  /// Sees to it that the bounds are kept, a little at a time. Ends with the store's life, or when it is closed.
  func schedulePrune(after pause: Duration) {
    guard !pruneIsScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: pause.nanoseconds))) { [weak self] in
      guard let self else { return }
      self.pruneIsScheduled.store(false, ordering: .releasing)
      if self.pruneOnce() > 0 { self.schedulePrune(after: Self.prunePause) }
    }
  }

  /// On the queue.
  private func pruneOnce() -> Int {
    do {
      let removed = try database.withLock { database in
        try database?.pruneHistory(options.history, now: clock.now, step: Self.pruneStep) ?? 0
      }
      if removed > 0 { state.withLock { $0.statistics.historyRowsPruned += removed } }
      return removed
    } catch {
      // The next commit meets the same fault and says so.
      logger.debug("the twins' history was not made shorter", metadata: ["fault": "\(error)"])
      return 0
    }
  }

  /// Removes all that is beyond the bounds now, one step after another.
  package func pruneHistory() async {
    while await withCheckedContinuation({ (continuation: CheckedContinuation<Int, Never>) in
      queue.async { [self] in continuation.resume(returning: pruneOnce()) }
    }) > 0 {}
  }
}
