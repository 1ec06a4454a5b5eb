extension PipelineSpecification {
  /// Brings numbers into another unit of the same kind.
  public struct Convert: Sendable, Hashable {
    /// The unit that numbers shall have.
    public var to: String
    /// The unit that they have where the model says none, or another than this.
    public var from: String?
    let unit: Unit
    let source: Unit?
  }
}

extension PipelineSpecification.Convert {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard let to = try reader.string("to") else { throw reader.error("to", "is required") }
    let from = try reader.string("from")
    try reader.finish()
    let unit: Unit
    do { unit = try Unit(to) } catch let fault { throw reader.error("to", fault.description) }
    var source: Unit?
    if let from {
      do { source = try Unit(from) } catch let fault { throw reader.error("from", fault.description) }
      guard source?.conversion(to: unit) != nil else {
        throw reader.error("to", "'\(from)' cannot become '\(to)': they measure different things")
      }
    }
    self.init(to: to, from: from, unit: unit, source: source)
  }
}
