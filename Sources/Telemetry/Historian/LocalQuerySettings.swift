public import Documents

/// What of the pipelines' output a gateway keeps to be queried, and for how long: `spec.localQuery` of its Gateway.
public struct LocalQuerySettings: Sendable, Hashable {
  public enum Keep: String, Sendable, Hashable, CaseIterable {
    /// What comes of pipelines that end in windows.
    case windows = "Windows"
    /// What comes of all pipelines.
    case everything = "Everything"
    /// Nothing, whatever the pipelines say; what was kept before is removed.
    case nothing = "Nothing"
  }

  public var keep = Keep.windows
  public var maxAge = Duration.seconds(6 * 3_600)
  public var maxBytes: Int64 = 64 << 20
  /// A smaller log would hold no more than a few entries.
  public static let leastBytes: Int64 = 1 << 20

  public init() {}

  /// Reads `spec.localQuery`; nil: the defaults. The error names the field.
  public init(json: JSONValue?) throws(SpecificationError) {
    self.init()
    guard let json, !json.isNull else { return }
    var reader = try SpecificationReader(json, at: "spec.localQuery")
    if let keep: Keep = try reader.choice("keep") { self.keep = keep }
    if let age = try reader.duration("maxAge") { maxAge = age }
    if let bytes = try reader.bytes("maxBytes") {
      guard bytes >= Self.leastBytes else { throw reader.error("maxBytes", "must be at least 1Mi") }
      maxBytes = bytes
    }
    try reader.finish()
  }

  /// Whether what comes of the pipeline is kept.
  public func keeps(_ pipeline: PipelineSpecification) -> Bool {
    guard keep != .nothing else { return false }
    if let wish = pipeline.localQuery { return wish == .enabled }
    return keep == .everything || pipeline.stages.last?.isLast == true
  }

  /// A segment goes as a whole: an eighth of the age and a sixteenth of the bytes at a time.
  var spoolLimits: SpoolLimits {
    SpoolLimits(
      maxBytes: maxBytes, maxAge: maxAge, whenFull: .dropOldest,
      segmentBytes: Int(clamping: min(maxBytes / 16, 4 << 20))
    )
  }
}
