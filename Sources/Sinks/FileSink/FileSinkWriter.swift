internal import SinkKit

/// Writes records to one file, on a thread of its own. A batch is acknowledged after its fsync; of one that failed no
/// line stays.
actor FileSinkWriter: SinkWriter {
  private let specification: FileSinkSpecification
  private let folder: String
  private var file: ContainedFile?
  private nonisolated let thread = BlockingThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(_ specification: FileSinkSpecification, folder: String) {
    self.specification = specification
    self.folder = folder
  }

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    do throws(SinkError) {
      var file = try open()
      var lines = RecordLines.encode(records, as: specification.format)
      if let rotation = specification.rotation, file.size > 0, file.size + lines.count > rotation.maxBytes {
        self.file = nil
        try file.rotate(keep: rotation.keep)
        file = try open()
      }
      if file.size == 0 { lines = RecordLines.head(of: specification.format) + lines }
      try file.append(lines)
      return .delivered
    } catch {
      // Opened anew next time: the folder may have been replaced, or the disk mounted again.
      file = nil
      return .retry(error, after: nil)
    }
  }

  func close() async { file = nil }

  private func open() throws(SinkError) -> ContainedFile {
    if let file, file.isInPlace { return file }
    let opened = try ContainedFile(specification.components, under: folder)
    file = opened
    return opened
  }
}
