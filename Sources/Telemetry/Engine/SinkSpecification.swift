public import Documents

/// What a Sink's `spec` asks for, checked, but for the sink's own fragment.
public struct SinkSpecification: Sendable, Hashable {
  /// The plugin's name: `mqtt`, `file`.
  public var plugin: String
  /// The fragment under that name.
  public var fragment: JSONValue
  /// The largest batch offered.
  public var maxSamples: Int
  /// How long a record may wait for a batch to fill.
  public var maxDelay: Duration
  /// Equal refusals of one record after which it is set aside.
  public var poisonAfter: Int
  public var limits: SpoolLimits

  /// Reads a Sink's `spec`; `plugins` are the names of the sinks that are built in. The error names the field.
  public init(json: JSONValue, plugins: [String]) throws(SpecificationError) {
    var reader = try SpecificationReader(json, at: "spec")
    maxSamples = 500
    maxDelay = .seconds(1)
    poisonAfter = 3
    limits = SpoolLimits()
    if var batch = try reader.object("batch") {
      if let value = batch.value("maxSamples") {
        guard let count = value.int, (1...100_000).contains(count) else {
          throw batch.error("maxSamples", "must be a whole number between 1 and 100000")
        }
        maxSamples = count
      }
      if let delay = try batch.duration("maxDelay", allowingZero: true) { maxDelay = delay }
      if let value = batch.value("poisonAfter") {
        guard let count = value.int, (1...100).contains(count) else {
          throw batch.error("poisonAfter", "must be a whole number between 1 and 100")
        }
        poisonAfter = count
      }
      try batch.finish()
    }
    if let buffer = try reader.object("buffer") { limits = try Self.limits(buffer) }
    let kinds = reader.keys.filter { $0 != "batch" && $0 != "buffer" }
    guard kinds.count == 1, let kind = kinds.first else {
      throw SpecificationError(
        path: "spec",
        message:
          "must name exactly one kind of sink (\(plugins.sorted().joined(separator: ", "))), names \(kinds.count)")
    }
    guard plugins.contains(kind) else {
      throw reader.error(kind, "this gateway serves no such sink; served: \(plugins.sorted().joined(separator: ", "))")
    }
    plugin = kind
    fragment = reader.value(kind) ?? [:]
  }

  private static func limits(_ buffer: SpecificationReader) throws(SpecificationError) -> SpoolLimits {
    var reader = buffer
    let standard = SpoolLimits()
    let maxBytes = try reader.bytes("maxBytes") ?? standard.maxBytes
    guard maxBytes >= 64 << 10 else { throw reader.error("maxBytes", "must be at least 64Ki") }
    let maxAge = try reader.duration("maxAge") ?? standard.maxAge
    var whenFull = standard.whenFull
    if let text = try reader.string("whenFull") {
      guard let policy = SpoolLimits.WhenFull(rawValue: text) else {
        throw reader.error("whenFull", "must be DropOldest, DropNewest or Block")
      }
      whenFull = policy
    }
    let syncInterval = try reader.duration("syncInterval") ?? standard.syncInterval
    guard (.milliseconds(100)...Duration.seconds(60)).contains(syncInterval) else {
      throw reader.error("syncInterval", "must be between 100ms and 1m")
    }
    try reader.finish()
    return SpoolLimits(maxBytes: maxBytes, maxAge: maxAge, whenFull: whenFull, syncInterval: syncInterval)
  }
}
