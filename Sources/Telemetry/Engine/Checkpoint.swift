internal import DeviceKit
internal import Documents
internal import SinkKit

/// The state of all stages and windows at a clean stop, by names, for the next start.
struct Checkpoint: Sendable {
  struct Series: Sendable {
    var point: PointName
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

  private static let magic: UInt64 = 0x3150_4B43_5345_5A53

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
        output.string(series.point.device.namespace)
        output.string(series.point.device.name)
        output.string(series.point.property)
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
        let device = DeviceKey(namespace: try input.string(), name: try input.string())
        let point = PointName(device: device, property: try input.string())
        pipeline.series.append(Series(point: point, description: description, state: try input.blob()))
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
