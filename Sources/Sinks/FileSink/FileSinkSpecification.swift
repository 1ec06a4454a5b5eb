internal import Documents
internal import SinkKit

/// The fragment `file` of a Sink's spec, checked.
struct FileSinkSpecification: Sendable {
  /// When a file is put aside, what becomes of it, and how many of these stay.
  struct Rotation: Sendable {
    /// The size at which it is; nil: at any.
    var maxBytes: Int?
    /// Instants since 1970 at whose multiples it is; nil: at none.
    var every: Duration?
    var keep: Int
    var isCompressed: Bool
  }

  enum Synchronisation: String, Sendable, CaseIterable {
    /// Before a batch is acknowledged: a power cut loses nothing that was.
    case batch = "Batch"
    /// When the system likes: a power cut loses what it had not written yet.
    case system = "System"
  }

  /// The file's path below the folder, name by name.
  var components: [String]
  var format: RecordLines.Format
  var rotation: Rotation?
  var synchronisation: Synchronisation

  init(_ json: JSONValue) throws(SinkError) {
    guard let path = json["path"]?.string, !path.isEmpty else { throw Self.error("path", "is required") }
    guard !path.hasPrefix("/") else {
      throw Self.error("path", "'\(path)' must be relative to the folder for file sinks")
    }
    components = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    guard !path.utf8.contains(0), !path.hasSuffix("/"), !components.isEmpty,
      components.allSatisfy({ $0 != "." && $0 != ".." && $0.utf8.count <= 240 })
    else {
      throw Self.error(
        "path",
        "'\(path)' must name a file below the folder for file sinks, without '.' or '..', no name longer than 240 bytes"
      )
    }
    format = try Self.choice(json, "format", .ndjson)
    synchronisation = try Self.choice(json, "fsync", .batch)
    if let rotate = json["rotate"], !rotate.isNull { rotation = try Self.rotation(rotate) }
  }

  private static func rotation(_ json: JSONValue) throws(SinkError) -> Rotation {
    var rotation = Rotation(keep: json["keep"]?.int ?? 5, isCompressed: json["gzip"]?.bool ?? false)
    if let value = json["maxBytes"], !value.isNull {
      guard let bytes = value.string.flatMap(Quantity.bytes) ?? value.integer, bytes >= 4_096 else {
        throw error("rotate.maxBytes", "must be a quantity of at least 4096 bytes")
      }
      rotation.maxBytes = Int(clamping: bytes)
    }
    if let value = json["every"], !value.isNull {
      guard let every = value.string.flatMap({ Duration(manifest: $0) }), every >= .seconds(60) else {
        throw error("rotate.every", "must be a duration of at least 1m")
      }
      rotation.every = every
    }
    guard rotation.maxBytes != nil || rotation.every != nil else {
      throw error("rotate", "must say when: maxBytes, every, or both")
    }
    guard (1...1_000).contains(rotation.keep) else { throw error("rotate.keep", "must be between 1 and 1000") }
    return rotation
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ json: JSONValue, _ field: String, _ standard: Choice
  ) throws(SinkError) -> Choice {
    guard let name = json[field]?.string else { return standard }
    guard let choice = Choice(rawValue: name) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: " or ")
      throw error(field, "must be \(names), is '\(name)'")
    }
    return choice
  }

  private static func error(_ field: String, _ message: String) -> SinkError {
    SinkError(reason: "InvalidSpec", message: "spec.file.\(field): \(message)")
  }
}
