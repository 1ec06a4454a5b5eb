public import DeviceKit

extension PipelineSpecification {
  public struct Filter: Sendable, Hashable {
    /// The qualities that pass; nil: all.
    public var qualities: Set<Quality>?
    /// The condition under which a sample passes; nil: none.
    public var condition: Expression?
    public init(qualities: Set<Quality>? = nil, condition: Expression? = nil) {
      self.qualities = qualities
      self.condition = condition
    }
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
    condition = try reader.expression("where", scope: .sample)
    guard qualities != nil || condition != nil else {
      throw SpecificationError(path: reader.path, message: "needs quality, where or both")
    }
    try reader.finish()
  }
}
