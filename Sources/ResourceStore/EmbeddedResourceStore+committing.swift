internal import Resources
internal import SQLite
internal import Synchronization

/// A write that waits for the next commit.
struct WaitingWrite {
  let isDryRun: Bool
  /// Makes the changes; whether they are to be kept. The outcome stays with the write.
  let make: (inout WriteBatch) -> Bool
  /// Answers whoever waits: with the outcome, or with what the database refused.
  let answer: (APIStatus?) -> Void
}

extension EmbeddedResourceStore {
  /// How many writes share one transaction at most.
  static let writesPerCommit = 128

  /// Runs `body` with the writes that wait at the same time in one transaction, each undone by itself where it fails.
  /// Returns once the transaction is on disk and its changes are published; of a dry run nothing remains.
  func writing<Result: Sendable>(
    isDryRun: Bool, _ body: @escaping (inout WriteBatch) throws(APIStatus) -> Result
  ) async throws(APIStatus) -> Result {
    let slot = Outcome<Result>()
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      waiting.append(
        WaitingWrite(
          isDryRun: isDryRun,
          make: { batch in
            do throws(APIStatus) {
              slot.put(.success(try body(&batch)))
              return !isDryRun
            } catch {
              slot.put(.failure(error))
              return false
            }
          },
          answer: { failure in
            if let failure { slot.put(.failure(failure)) }
            continuation.resume()
          }))
      scheduleCommit()
    }
    guard let result = slot.result else { throw .internalError("a write was not tried") }
    return try result.get()
  }

  /// Callers that stand in line for the actor by now get there before the commit, and share it.
  private func scheduleCommit() {
    guard !commitIsScheduled else { return }
    commitIsScheduled = true
    // Ends by itself after one commit; it holds the store until then, since somebody waits for the answer.
    Task { self.commitWaiting() }
  }

  private func commitWaiting() {
    commitIsScheduled = false
    let writes = Array(waiting.prefix(Self.writesPerCommit))
    waiting.removeFirst(writes.count)
    if !waiting.isEmpty { scheduleCommit() }
    // A write that makes the database full takes the others' changes with it: then each is tried by itself.
    if !commit(writes, alone: writes.count == 1) {
      for write in writes { _ = commit([write], alone: true) }
    }
  }

  /// One transaction. False where nothing was stored and nobody answered, so that each write may be tried alone.
  private func commit(_ writes: [WaitingWrite], alone: Bool) -> Bool {
    let connection = table.connection
    var batch = WriteBatch(
      store: WriteBatch.Access(kinds: kinds, kindsByText: kindsByText, table: table, compacted: compacted),
      version: version, now: clock())
    do {
      try connection.execute("BEGIN IMMEDIATE")
      for write in writes {
        let mark = batch.mark
        if !alone { try connection.execute("SAVEPOINT one") }
        let isKept = write.make(&batch)
        guard connection.isInTransaction else {
          batch.goBack(to: mark)
          if alone { break }
          return false
        }
        if !isKept {
          batch.goBack(to: mark)
          if !alone { try connection.execute("ROLLBACK TO one") }
        }
        if !alone { try connection.execute("RELEASE one") }
      }
      if batch.changes.isEmpty || !connection.isInTransaction {
        if connection.isInTransaction { try connection.execute("ROLLBACK") }
      } else {
        try table.setCounter("version", batch.version)
        try connection.execute("COMMIT")
        commits += 1
      }
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      // Not after a failed fsync: what a second one says of the same pages is worth nothing.
      if !alone, error.isFull { return false }
      let status = StoreFile.status(for: error)
      for write in writes { write.answer(status) }
      return true
    }
    published(batch)
    for write in writes { write.answer(nil) }
    return true
  }

  private func published(_ batch: WriteBatch) {
    guard !batch.changes.isEmpty else { return }
    version = batch.version
    for made in batch.changes {
      cache.remove(ObjectCache.Place(resource: made.resource, key: made.change.object.objectKey))
      recent.append(made.change, of: made.resource, bytes: made.bytes)
      logBytes += Int64(made.bytes)
      watchers.publish(made.change, of: made.resource)
    }
    keepLogShort()
  }
}

/// Where a write leaves what came of it.
private final class Outcome<Value: Sendable>: Sendable {
  private let state = Mutex<Result<Value, APIStatus>?>(nil)
  var result: Result<Value, APIStatus>? { state.withLock { $0 } }
  func put(_ result: Result<Value, APIStatus>) { state.withLock { $0 = result } }
}
