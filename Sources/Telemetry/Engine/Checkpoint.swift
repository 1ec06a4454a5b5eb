internal import DeviceKit
internal import Documents
internal import SinkKit

/// The state of all stages and windows at a clean stop, by names, for the next start.
struct Checkpoint: Sendable {
  enum Origin: Sendable {
    case point(PointName)
    case made(MadeSeries)
  }

  struct Series: Sendable {
    var origin: Origin
    /// Lets windows close of a device that does not come back.
    var description: SeriesDescription
    var state: [UInt8]
  }

  struct Pipeline: Sendable {
    var key: String
    /// The spec under which the state was made.
    var spec: JSONValue
    var series: [Series]
  }

  var pipelines: [Pipeline] = []

  private static let magic: UInt64 = 0x3250_4B43_5345_5A53

  func encoded() -> [UInt8] {
    var output = ByteWriter()
    output.fixed(Self.magic)
    output.varint(UInt64(pipelines.count))
    for pipeline in pipelines {
      output.string(pipeline.key)
      output.blob(pipeline.spec.serialised())
      output.varint(UInt64(pipeline.series.count))
      for series in pipeline.series {
        output.description(series.description)
        switch series.origin {
        case .point(let name):
          output.varint(0)
          output.point(name)
        case .made(let made):
          output.varint(UInt64(made.stage) + 1)
          output.point(made.name)
        }
        output.blob(series.state)
      }
    }
    output.fixed(CRC32C.checksum(output.bytes))
    return output.bytes
  }

  init(pipelines: [Pipeline] = []) { self.pipelines = pipelines }

  /// Throws for damage.
  init(_ bytes: [UInt8]) throws(DecodingFault) {
    guard bytes.count > 12 else { throw DecodingFault() }
    let body = 0..<bytes.count - 4
    var tail = ByteReader(bytes, in: body.upperBound..<bytes.count)
    let checksum: UInt32 = try tail.fixed()
    guard checksum == CRC32C.checksum(bytes, in: body) else { throw DecodingFault() }
    var input = ByteReader(bytes, in: body)
    let magic: UInt64 = try input.fixed()
    guard magic == Self.magic else { throw DecodingFault() }
    for _ in 0..<(try input.count()) {
      let key = try input.string()
      guard let spec = try? JSONValue(parsing: try input.blob()) else { throw DecodingFault() }
      var pipeline = Pipeline(key: key, spec: spec, series: [])
      for _ in 0..<(try input.count()) {
        let description = try input.description()
        guard let place = Int(exactly: try input.varint()) else { throw DecodingFault() }
        let name = try input.point()
        let origin = place == 0 ? Origin.point(name) : .made(MadeSeries(stage: place - 1, name: name))
        pipeline.series.append(Series(origin: origin, description: description, state: try input.blob()))
      }
      pipelines.append(pipeline)
    }
  }
}

/// Keeps the checkpoint on disk; its work is blocking I/O, on the file thread.
actor CheckpointStore {
  private static let name = "checkpoint"
  private let directory: String
  private nonisolated let thread: BlockingThread
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(directory: String, thread: BlockingThread) {
    self.directory = directory
    self.thread = thread
  }

  /// Returns once the checkpoint is safe.
  func save(_ checkpoint: Checkpoint) throws(SpoolError) {
    try Folder.make(directory)
    try Folder.replace(Self.name, in: directory, with: checkpoint.encoded())
  }

  /// The checkpoint, once: it is gone from disk before it is returned, so that no window is put out twice. Nil where
  /// there is none.
  func take() throws(SpoolError) -> Checkpoint? {
    try Folder.make(directory)
    let path = "\(directory)/\(Self.name)"
    guard let content = try Folder.content(of: path) else { return nil }
    do {
      let checkpoint = try Checkpoint(content)
      try Folder.remove(path)
      try Folder.synchronise(directory)
      return checkpoint
    } catch let error as SpoolError {
      throw error
    } catch {
      try Folder.rename(path, to: "\(path).damaged")
      throw SpoolError(
        reason: "Damaged", message: "\(path) is damaged and was set aside; windows open at the last stop are lost")
    }
  }

  /// Keys of the spools on disk.
  func spools() throws(SpoolError) -> [String] {
    try Folder.names(in: "\(directory)/sinks").compactMap(SpoolName.key)
  }
}
