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
      self.durability = durability
    }
    localQuery = try reader.choice("localQuery")
    if let value = reader.value("stages") {
      guard let elements = value.array else { throw reader.error("stages", "must be a list") }
      for (index, element) in elements.enumerated() {
        stages.append(try Stage(json: element, at: "spec.stages[\(index)]"))
      }
      if let index = stages.dropLast().firstIndex(where: \.isLast) {
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
