internal import Documents
internal import SinkKit

/// The fragment `file` of a Sink's spec, checked.
struct FileSinkSpecification: Sendable {
  enum Format: String, Sendable {
    case ndjson, csv
  }

  /// The file's path below the folder, name by name.
  var components: [String]
  var format: Format
  /// The size at which the file is put aside, and how many of these stay; nil: it grows.
  var rotation: (maxBytes: Int, keep: Int)?

  init(_ json: JSONValue) throws(SinkError) {
    guard let path = json["path"]?.string, !path.isEmpty else { throw Self.error("path", "is required") }
    guard !path.hasPrefix("/") else {
      throw Self.error("path", "'\(path)' must be relative to the folder for file sinks")
    }
    components = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    guard !path.utf8.contains(0), !path.hasSuffix("/"), !components.isEmpty,
      components.allSatisfy({ $0 != "." && $0 != ".." && $0.utf8.count <= 255 })
    else { throw Self.error("path", "'\(path)' must name a file below the folder for file sinks, without '.' or '..'") }
    let name = json["format"]?.string ?? Format.ndjson.rawValue
    guard let format = Format(rawValue: name) else { throw Self.error("format", "must be ndjson or csv, is '\(name)'") }
    self.format = format
    guard let rotate = json["rotate"], !rotate.isNull else { return }
    let bytes = rotate["maxBytes"]?.string.flatMap(Quantity.bytes) ?? rotate["maxBytes"]?.integer
    guard let bytes, bytes >= 4_096 else {
      throw Self.error("rotate.maxBytes", "must be a quantity of at least 4096 bytes")
    }
    let keep = rotate["keep"]?.int ?? 5
    guard (1...1_000).contains(keep) else { throw Self.error("rotate.keep", "must be between 1 and 1000") }
    rotation = (Int(clamping: bytes), keep)
  }

  private static func error(_ field: String, _ message: String) -> SinkError {
    SinkError(reason: "InvalidSpec", message: "spec.file.\(field): \(message)")
  }
}
