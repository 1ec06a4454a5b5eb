internal import DeviceKit
internal import Documents
internal import SinkKit

/// Keeps the checkpoints of all pipelines on disk: one file that begins with whole ones, to which later ones are
/// appended, each made safe by one fsync. Once it has grown long it is replaced by a new one, by a rename. Work is
/// blocking I/O, on the file thread.
actor CheckpointLog {
  private static let name = "checkpoints"
  private static let rememberedName = "remembered"
  private static let magic: UInt64 = 0x314B_4C43_535A_5345
  /// A file is replaced when it is longer than this and than so many times its beginning.
  private static let shortest = 256 << 10
  private static let growth = 16
  private static let longest = 16 << 20

  private let directory: String
  private nonisolated let thread: BlockingThread
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  private var file: StoredFile?
  private var length = 0
  private var wholeLength = 0
  /// Bytes written since the start.
  private(set) var writtenBytes: UInt64 = 0

  init(directory: String, thread: BlockingThread) {
    self.directory = directory
    self.thread = thread
  }

  /// Whether something can be appended: not before the first one of all after a start, nor after an error.
  var hasFile: Bool { file != nil }

  /// Whether it is time for a new file.
  var isLong: Bool {
    length > max(Self.shortest, min(Self.growth * wholeLength, max(Self.longest, 2 * wholeLength)))
  }

  /// Returns once the checkpoints are safe. `isAll`: they replace everything before. After an error what was safe before
  /// still is, and the next must be of all.
  func save(_ checkpoints: [Checkpoint], isAll: Bool) throws(SpoolError) {
    var output = ByteWriter()
    if isAll { output.fixed(Self.magic) }
    var payload = ByteWriter()
    payload.varint(UInt64(checkpoints.count))
    for checkpoint in checkpoints { checkpoint.encode(to: &payload) }
    SegmentFormat.append(payload.bytes, to: &output)
    writtenBytes += UInt64(output.bytes.count)
    if isAll {
      try Folder.make(directory)
      file = nil
      try Folder.replace(Self.name, in: directory, with: output.bytes)
      file = try StoredFile("\(directory)/\(Self.name)", .readWrite)
      (length, wholeLength) = (output.bytes.count, output.bytes.count)
    } else if let file {
      do {
        try file.write(output.bytes, at: length)
        try file.synchronise()
        length += output.bytes.count
      } catch {
        self.file = nil
        throw error
      }
    }
  }

  /// What was saved last of each pipeline; empty where nothing was. A torn end, of a save that was never done, is
  /// ignored; a file that is damaged otherwise is set aside, and what is intact of it is returned.
  func load() throws(SpoolError) -> (checkpoints: [Checkpoint], damage: String?) {
    try Folder.make(directory)
    let path = "\(directory)/\(Self.name)"
    guard let content = try Folder.content(of: path) else { return ([], nil) }
    var pipelines: [String: Checkpoint] = [:]
    var header = ByteReader(content)
    var offset = 8
    var isIntact = false
    if let magic: UInt64 = try? header.fixed(), magic == Self.magic {
      isIntact = true
      while let payload = SegmentFormat.payload(in: content, at: offset) {
        do {
          var input = ByteReader(content, in: payload)
          for _ in 0..<(try input.count()) {
            let checkpoint = try Checkpoint(from: &input)
            if pipelines[checkpoint.pipeline]?.merge(checkpoint) == nil {
              pipelines[checkpoint.pipeline] = checkpoint
            }
          }
        } catch {
          isIntact = false
        }
        offset = payload.upperBound
      }
    }
    let checkpoints = pipelines.values.sorted { $0.pipeline < $1.pipeline }
    if isIntact, offset > 8 || content.count <= 8 { return (checkpoints, nil) }
    try Folder.rename(path, to: "\(path).damaged")
    return (checkpoints, "\(path) is damaged and was set aside; windows that were open may be lost")
  }

  /// Returns once what the gateway's clock has shown is safe.
  func save(_ history: ClockHistory) throws(SpoolError) {
    try Folder.make(directory)
    try Folder.replace(ClockFile.name, in: directory, with: history.json.serialised())
  }

  // MARK: Redelivered samples

  /// Returns once what tells the latest samples from others is safe, for the next start.
  func save(remembered marks: [UInt64]) throws(SpoolError) {
    var payload = ByteWriter()
    payload.varint(UInt64(marks.count))
    for mark in marks { payload.fixed(mark) }
    var output = ByteWriter()
    SegmentFormat.append(payload.bytes, to: &output)
    try Folder.make(directory)
    try Folder.replace(Self.rememberedName, in: directory, with: output.bytes)
    writtenBytes += UInt64(output.bytes.count)
  }

  /// What the last clean stop saved, once; empty where there was none or the file is damaged.
  func takeRemembered() throws(SpoolError) -> [UInt64] {
    let path = "\(directory)/\(Self.rememberedName)"
    guard let content = try Folder.content(of: path) else { return [] }
    try Folder.remove(path)
    guard let payload = SegmentFormat.payload(in: content, at: 0) else { return [] }
    var input = ByteReader(content, in: payload)
    var marks: [UInt64] = []
    guard let count = try? input.count() else { return [] }
    for _ in 0..<count {
      guard let mark: UInt64 = try? input.fixed() else { return [] }
      marks.append(mark)
    }
    return marks
  }

  /// Keys of the spools on disk.
  func spools() throws(SpoolError) -> [String] {
    try Folder.names(in: "\(directory)/sinks").compactMap(SpoolName.key)
  }
}
