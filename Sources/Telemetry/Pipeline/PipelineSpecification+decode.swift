internal import DeviceKit
public import Documents

extension PipelineSpecification {
  /// Reads a Pipeline's `spec`. The error names the field.
  public init(json: JSONValue) throws(SpecificationError) {
    var reader = try SpecificationReader(json, at: "spec")
    self.init()
    if let from = try reader.object("from") { self.from = try SeriesSelector(from) }
    if let text = try reader.string("durability") {
      guard let durability = Durability(rawValue: text) else {
        throw reader.error("durability", "must be Checkpoint or Journal")
      }
      guard durability == .checkpoint else {
        throw reader.error("durability", "Journal is not served by this version; use Checkpoint")
      }
      self.durability = durability
    }
    if let value = reader.value("stages") {
      guard let elements = value.array else { throw reader.error("stages", "must be a list") }
      for (index, element) in elements.enumerated() {
        stages.append(try Stage(json: element, at: "spec.stages[\(index)]"))
      }
      if let index = stages.dropLast().firstIndex(where: { $0.name == "aggregate" }) {
        throw reader.error("stages[\(index)].aggregate", "must be the last stage")
      }
    }
    guard let targets = reader.value("to") else { throw reader.error("to", "names no sink") }
    guard let elements = targets.array, !elements.isEmpty else {
      throw reader.error("to", "must be a list of at least one sink")
    }
    for (index, element) in elements.enumerated() {
      var target = try SpecificationReader(element, at: "spec.to[\(index)]")
      guard let name = try target.string("name"), !name.isEmpty else { throw target.error("name", "names no sink") }
      try target.finish()
      guard !sinks.contains(name) else { throw target.error("name", "names the sink '\(name)' a second time") }
      sinks.append(name)
    }
    try reader.finish()
  }
}

extension PipelineSpecification.Stage {
  /// Stages of the contract that this version does not serve.
  private static let unserved: Set<String> = ["swingingDoor", "derive", "alarm"]

  init(json: JSONValue, at path: String) throws(SpecificationError) {
    var reader = try SpecificationReader(json, at: path)
    guard reader.keys.count == 1, let name = reader.keys.first else {
      throw SpecificationError(path: path, message: "must hold exactly one stage, holds \(reader.keys.count)")
    }
    guard !Self.unserved.contains(name) else {
      throw reader.error(name, "the stage '\(name)' is not served by this version")
    }
    switch name {
    case "dedup":
      guard let stage = try reader.object(name) else { throw reader.error(name, "must be an object: dedup: {}") }
      try stage.finish()
      self = .dedup
    case "filter", "deadband", "throttle", "aggregate":
      guard let stage = try reader.object(name) else { throw reader.error(name, "must be an object") }
      switch name {
      case "filter": self = .filter(try PipelineSpecification.Filter(stage))
      case "deadband": self = .deadband(try PipelineSpecification.Deadband(stage))
      case "throttle": self = .throttle(every: try Self.throttle(stage))
      default: self = .aggregate(try PipelineSpecification.Aggregate(stage))
      }
    default:
      throw reader.error(name, "unknown stage; known: filter, deadband, throttle, dedup, aggregate")
    }
  }

  private static func throttle(_ stage: SpecificationReader) throws(SpecificationError) -> Duration {
    var reader = stage
    guard let every = try reader.duration("every") else { throw reader.error("every", "is required") }
    try reader.finish()
    return every
  }
}

extension PipelineSpecification.Filter {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    self.init()
    if let names = try reader.strings("quality") {
      var qualities: Set<Quality> = []
      for (index, name) in names.enumerated() {
        guard let quality = Quality.allCases.first(where: { $0.name == name }) else {
          throw reader.error("quality[\(index)]", "'\(name)' is not Good, Uncertain or Bad")
        }
        qualities.insert(quality)
      }
      guard !qualities.isEmpty else { throw reader.error("quality", "lists no quality: nothing would pass") }
      self.qualities = qualities
    }
    if let text = try reader.string("where") {
      do {
        condition = try Expression(text)
      } catch {
        throw reader.error("where", "\(error)")
      }
    }
    guard qualities != nil || condition != nil else {
      throw SpecificationError(path: reader.path, message: "needs quality, where or both")
    }
    try reader.finish()
  }
}

extension PipelineSpecification.Deadband {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    let absolute = try reader.number("absolute")
    let percent = try reader.number("percent")
    switch (absolute, percent) {
    case (let width?, nil):
      guard width >= 0 else { throw reader.error("absolute", "must not be negative") }
      band = .absolute(width)
    case (nil, let width?):
      guard (0...100).contains(width) else { throw reader.error("percent", "must be between 0 and 100") }
      band = .percent(width)
    case (nil, nil), (.some, .some):
      throw SpecificationError(path: reader.path, message: "needs exactly one of absolute and percent")
    }
    heartbeat = try reader.duration("heartbeat")
    try reader.finish()
  }
}

extension PipelineSpecification.Aggregate {
  private static let unservedWindows = ["hopping", "sliding", "session", "count", "state"]
  private static let unservedFunctions: Set<String> = [
    "stddev", "median", "p90", "p95", "p99", "rate", "increase", "integral", "timeWeightedMean", "duration", "delta",
  ]
  /// Windows are at most a week long: their ends then stay far from the limits of 64-bit nanoseconds.
  private static let longest = Duration.seconds(7 * 86_400)

  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard var window = try reader.object("window") else { throw reader.error("window", "is required") }
    for name in Self.unservedWindows where window.value(name) != nil {
      throw window.error(name, "the window '\(name)' is not served by this version; use tumbling")
    }
    guard let tumbling = try window.duration("tumbling") else { throw window.error("tumbling", "is required") }
    guard tumbling <= Self.longest else { throw window.error("tumbling", "must be at most 168h") }
    try window.finish()
    guard let names = try reader.strings("functions"), !names.isEmpty else {
      throw reader.error("functions", "must list at least one function")
    }
    var functions: [PipelineSpecification.Function] = []
    for (index, name) in names.enumerated() {
      guard let function = PipelineSpecification.Function(rawValue: name) else {
        let known = PipelineSpecification.Function.allCases.map(\.rawValue).joined(separator: ", ")
        throw reader.error(
          "functions[\(index)]",
          Self.unservedFunctions.contains(name)
            ? "the function '\(name)' is not served by this version; served: \(known)"
            : "unknown function '\(name)'; known: \(known)")
      }
      guard !functions.contains(function) else {
        throw reader.error("functions[\(index)]", "lists '\(name)' a second time")
      }
      functions.append(function)
    }
    let lateness = try reader.duration("lateness", allowingZero: true) ?? .zero
    guard lateness <= Self.longest else { throw reader.error("lateness", "must be at most 168h") }
    try reader.finish()
    self.init(tumbling: tumbling, functions: functions, lateness: lateness)
  }
}
