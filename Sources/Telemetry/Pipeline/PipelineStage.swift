internal import Documents

extension PipelineSpecification {
  /// One entry of `spec.stages`.
  public enum Stage: Sendable, Hashable {
    case filter(Filter)
    case range(Range)
    case deadband(Deadband)
    case reportOnChange(OnChange)
    case dedup(Dedup)
    case throttle(Throttle)
    case sample(Sampling)
    case swingingDoor(SwingingDoor)
    case derive(Derive)
    case convert(Convert)
    case rename(Rename)
    case enrich(Enrich)
    case alarm(Alarm)
    /// The last stage where it occurs.
    case aggregate(Aggregate)

    /// Whether no stage may follow.
    var isLast: Bool {
      if case .aggregate = self { true } else { false }
    }
  }
}

extension PipelineSpecification.Stage {
  fileprivate typealias Read = @Sendable (SpecificationReader) throws(SpecificationError) -> Self

  /// How the stages are read, by their keys.
  fileprivate static let readers: [(key: String, read: Read)] = [
    ("filter", { reader throws(SpecificationError) in .filter(try .init(reader)) }),
    ("range", { reader throws(SpecificationError) in .range(try .init(reader)) }),
    ("deadband", { reader throws(SpecificationError) in .deadband(try .init(reader)) }),
    ("reportOnChange", { reader throws(SpecificationError) in .reportOnChange(try .init(reader)) }),
    ("dedup", { reader throws(SpecificationError) in .dedup(try .init(reader)) }),
    ("throttle", { reader throws(SpecificationError) in .throttle(try .init(reader)) }),
    ("sample", { reader throws(SpecificationError) in .sample(try .init(reader)) }),
    ("swingingDoor", { reader throws(SpecificationError) in .swingingDoor(try .init(reader)) }),
    ("derive", { reader throws(SpecificationError) in .derive(try .init(reader)) }),
    ("convert", { reader throws(SpecificationError) in .convert(try .init(reader)) }),
    ("rename", { reader throws(SpecificationError) in .rename(try .init(reader)) }),
    ("enrich", { reader throws(SpecificationError) in .enrich(try .init(reader)) }),
    ("alarm", { reader throws(SpecificationError) in .alarm(try .init(reader)) }),
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
    case .range(let range): RangeStage(range)
    case .deadband(let deadband): DeadbandStage(deadband)
    case .reportOnChange(let onChange): DeadbandStage(onChange, named: "reportOnChange")
    case .dedup(let dedup):
      switch dedup.by {
      case .value: DeadbandStage(PipelineSpecification.OnChange(heartbeat: dedup.heartbeat), named: "dedup")
      case .sample: RedeliveryStage()
      }
    case .throttle(let throttle): ThrottleStage(throttle)
    case .sample(let sampling): SamplingStage(sampling)
    case .swingingDoor(let door): SwingingDoorStage(door)
    case .derive(let derive): DeriveStage(derive, maker)
    case .convert(let convert): ConvertStage(convert)
    case .rename(let rename): DescribingStage(rename)
    case .enrich(let enrich): DescribingStage(enrich)
    case .alarm(let alarm): AlarmStage(alarm, maker)
    case .aggregate: nil
    }
  }
}

extension PipelineSpecification {
  /// The keys that an entry of `spec.stages` may have.
  package static var stageKeys: Set<String> { Set(Stage.readers.map(\.key)) }
}
