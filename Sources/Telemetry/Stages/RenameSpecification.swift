public import SinkKit

extension PipelineSpecification {
  /// Gives properties other names.
  public struct Rename: Sendable, Hashable {
    /// New names by old ones.
    public var properties: [String: String]
    /// What comes before and after the names of all properties, renamed or not.
    public var prefix: String
    public var suffix: String
    public init(properties: [String: String] = [:], prefix: String = "", suffix: String = "") {
      self.properties = properties
      self.prefix = prefix
      self.suffix = suffix
    }
  }

  /// Adds labels to what receivers are told of a series.
  public struct Enrich: Sendable, Hashable {
    public var labels: [String: NameTemplate]
    public init(labels: [String: NameTemplate]) { self.labels = labels }
  }
}

extension PipelineSpecification.Rename {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    self.init(
      properties: try reader.stringMap("properties") ?? [:], prefix: try reader.string("prefix") ?? "",
      suffix: try reader.string("suffix") ?? "")
    for (old, new) in properties.sorted(by: { $0.key < $1.key }) where new.isEmpty {
      throw reader.error("properties.\(old)", "must not be empty")
    }
    guard !properties.isEmpty || !prefix.isEmpty || !suffix.isEmpty else {
      throw SpecificationError(path: reader.path, message: "needs properties, prefix or suffix")
    }
    try reader.finish()
  }

  func name(of property: String) -> String { prefix + (properties[property] ?? property) + suffix }
}

extension PipelineSpecification.Enrich {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard let texts = try reader.stringMap("labels"), !texts.isEmpty else {
      throw reader.error("labels", "must name at least one label")
    }
    var labels: [String: NameTemplate] = [:]
    for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
      labels[key] = try reader.template("labels.\(key)", text)
    }
    try reader.finish()
    self.init(labels: labels)
  }
}
