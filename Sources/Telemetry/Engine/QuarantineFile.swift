internal import Documents
internal import SinkKit

/// Where records go that a receiver refuses for good: one JSON object a line, with the reason. At 16 MiB the file makes
/// room by becoming `quarantine.ndjson.1`.
final class QuarantineFile {
  private static let limit = 16 << 20
  let path: String
  private let directory: String

  init(directory: String) {
    self.directory = directory
    path = "\(directory)/quarantine.ndjson"
  }

  /// Returns once the records are safe.
  func append(_ records: [TelemetryRecord], reason: String) throws(SpoolError) {
    var file = try StoredFile(path, .readWrite)
    var size = try file.size()
    if size >= Self.limit {
      try Folder.rename("\(path)", to: "\(path).1")
      file = try StoredFile(path, .readWrite)
      size = 0
    }
    var lines: [UInt8] = []
    for record in records {
      var json = record.json
      json["refused"] = .string(reason)
      json.write(to: &lines)
      lines.append(0x0A)
    }
    try file.write(lines, at: size)
    try file.synchronise()
    try Folder.synchronise(directory)
  }
}
