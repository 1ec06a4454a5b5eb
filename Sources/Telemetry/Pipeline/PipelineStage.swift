internal import Documents

extension PipelineSpecification {
  /// One entry of `spec.stages`.
  public enum Stage: Sendable, Hashable {
    case filter(Filter)
    case deadband(Deadband)
    case throttle(Throttle)
    case dedup(Dedup)
    /// The last stage where it occurs.
    case aggregate(Aggregate)

    /// Whether no stage may follow.
    var isLast: Bool {
      if case .aggregate = self { true } else { false }
    }
  }
}

extension PipelineSpecification.Stage {
  private typealias Read = @Sendable (SpecificationReader) throws(SpecificationError) -> Self

  /// How the stages are read, by their keys.
  private static let readers: [(key: String, read: Read)] = [
    ("filter", { reader throws(SpecificationError) in .filter(try .init(reader)) }),
    ("deadband", { reader throws(SpecificationError) in .deadband(try .init(reader)) }),
    ("throttle", { reader throws(SpecificationError) in .throttle(try .init(reader)) }),
    ("dedup", { reader throws(SpecificationError) in .dedup(try .init(reader)) }),
    ("aggregate", { reader throws(SpecificationError) in .aggregate(try .init(reader)) }),
  ]

  init(json: JSONValue, at path: String) throws(SpecificationError) {
    var reader = try SpecificationReader(json, at: path)
    guard reader.keys.count == 1, let key = reader.keys.first else {
      throw SpecificationError(path: path, message: "must hold exactly one stage, holds \(reader.keys.count)")
    }
    guard let known = Self.readers.first(where: { $0.key == key }) else {
      let keys = Self.readers.map(\.key).joined(separator: ", ")
      throw reader.error(key, "unknown stage; known: \(keys)")
    }
    guard let stage = try reader.object(key) else { throw reader.error(key, "must be an object, as in \(key): {}") }
    self = try known.read(stage)
  }

  /// What carries the stage out; nil for the aggregate, which is no stage of samples.
  func makeStage(_ maker: SeriesMaker) -> (any SampleStage)? {
    switch self {
    case .filter(let filter): FilterStage(filter)
    case .deadband(let deadband): DeadbandStage(deadband)
    case .throttle(let throttle): ThrottleStage(throttle)
    case .dedup: DeadbandStage(dedup: ())
    case .aggregate: nil
    }
  }
}
