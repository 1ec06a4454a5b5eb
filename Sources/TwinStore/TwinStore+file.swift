internal import DeviceKit
internal import Documents
internal import Logging
internal import Synchronization

/// What becomes of the file over time. All of it runs on the store's queue.
extension TwinStore {
  /// Moves a file aside that turned out to be damaged while it was in use, and opens a new one in its place. Nothing
  /// that the twins hold is lost: all of it is to be written again.
  func replaceDatabase(because fault: any Error) throws {
    // Closes it: nothing may write to the file while it is moved.
    database.withLock { $0 = nil }
    let aside = TwinDatabase.setAside(path: path, now: clock.now)
    // Where none can be made, on a full disk say, the next commit tries again.
    state.withLock { $0.forgetRows() }
    try reopen()
    state.withLock { $0.statistics.filesReplaced += 1 }
    logger.error(
      "the twins' file is damaged and was moved aside; what the gateway holds in memory is written to a new one",
      metadata: ["file": "\(aside)", "fault": "\(fault)"])
  }

  /// Opens the file where it is not open, though the store is.
  func reopen() throws {
    try database.withLock { database in
      if database == nil { database = try TwinDatabase(path: path) }
    }
  }

  /// Gives a little of what removed devices left back to the file system.
  func tidy() {
    do {
      try database.withLock { try $0?.vacuumStep() }
    } catch {
      // The next commit meets the same fault and says so.
      logger.debug("the twins' file was not made smaller", metadata: ["fault": "\(error)"])
    }
  }
}
