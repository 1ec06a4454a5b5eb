internal import Documents
internal import SinkKit

/// Writes records to one file, on a thread of its own. A batch is acknowledged when it is as safe as the specification
/// asks; of one that failed no line stays.
actor FileSinkWriter: SinkWriter {
  private let specification: FileSinkSpecification
  private let folder: String
  private let now: @Sendable () -> Timestamp
  private var file: ContainedFile?
  private nonisolated let thread = BlockingThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(_ specification: FileSinkSpecification, folder: String, now: @escaping @Sendable () -> Timestamp) {
    self.specification = specification
    self.folder = folder
    self.now = now
  }

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    guard !records.isEmpty else { return .delivered }
    do throws(SinkError) {
      var file = try open()
      var lines = RecordLines.encode(records, as: specification.format)
      if let rotation = specification.rotation, isDue(rotation, file, adding: lines.count) {
        self.file = nil
        try file.rotate(keep: rotation.keep, isCompressed: rotation.isCompressed)
        file = try open()
      }
      if file.size == 0 { lines = RecordLines.head(of: specification.format) + lines }
      try file.append(lines, isSynchronised: specification.synchronisation == .batch)
      return .delivered
    } catch {
      // Opened anew next time: the folder may have been replaced, or the disk mounted again.
      file = nil
      return .retry(error, after: nil)
    }
  }

  func close() async {
    file?.synchronise()
    file = nil
  }

  private func isDue(_ rotation: FileSinkSpecification.Rotation, _ file: ContainedFile, adding bytes: Int) -> Bool {
    guard file.size > 0 else { return false }
    if let limit = rotation.maxBytes, file.size + bytes > limit { return true }
    guard let every = rotation.every?.nanoseconds else { return false }
    // By the time of the last write, which the file system keeps over a restart.
    return file.lastWrite.nanoseconds / every < now().nanoseconds / every
  }

  private func open() throws(SinkError) -> ContainedFile {
    if let file, file.isInPlace { return file }
    let opened = try ContainedFile(
      specification.components, under: folder, hasQuotes: specification.format == .csv, now: now())
    file = opened
    return opened
  }
}
