extension PipelineSpecification {
  /// Keeps a part of the samples of each series.
  public enum Sampling: Sendable, Hashable {
    /// The first of every so many.
    case every(Int)
    /// The first in each span of source time; spans are aligned to 1970-01-01T00:00:00Z.
    case interval(Duration)
  }
}

extension PipelineSpecification.Sampling {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    let every = try reader.number("every")
    let interval = try reader.duration("interval")
    try reader.finish()
    switch (every, interval) {
    case (let every?, nil):
      guard let count = Int(exactly: every), (1...1_000_000).contains(count) else {
        throw reader.error("every", "must be a whole number from 1 to 1000000")
      }
      self = .every(count)
    case (nil, let interval?): self = .interval(interval)
    case (nil, nil), (.some, .some):
      throw SpecificationError(path: reader.path, message: "needs exactly one of every and interval")
    }
  }
}
