public import Documents
public import SinkKit

/// Which series a pipeline takes: by the device's labels and model and by the property's name. Empty: all.
public struct SeriesSelector: Sendable, Hashable {
  public enum Requirement: Sendable, Hashable {
    case isIn(String, [String])
    /// Also holds where the label is absent.
    case notIn(String, [String])
    case exists(String)
    case absent(String)
  }

  public var requirements: [Requirement]
  /// Names of DeviceModels; empty: any.
  public var models: [String]
  /// Patterns of property names; empty: any.
  public var properties: [Glob]

  public init(requirements: [Requirement] = [], models: [String] = [], properties: [String] = []) {
    self.requirements = requirements
    self.models = models
    self.properties = properties.map { Glob($0) }
  }

  public func matches(_ series: SeriesDescription) -> Bool {
    guard models.isEmpty || models.contains(series.model) else { return false }
    guard properties.isEmpty || properties.contains(where: { $0.matches(series.property) }) else { return false }
    return requirements.allSatisfy { requirement in
      switch requirement {
      case .isIn(let key, let values): series.labels[key].map(values.contains) ?? false
      case .notIn(let key, let values): series.labels[key].map { !values.contains($0) } ?? true
      case .exists(let key): series.labels[key] != nil
      case .absent(let key): series.labels[key] == nil
      }
    }
  }
}

extension SeriesSelector {
  init(_ from: SpecificationReader) throws(SpecificationError) {
    var reader = from
    self.init()
    if var selector = try reader.object("selector") {
      for (key, value) in (try selector.stringMap("matchLabels") ?? [:]).sorted(by: { $0.key < $1.key }) {
        requirements.append(.isIn(key, [value]))
      }
      if let value = selector.value("matchExpressions") {
        guard let elements = value.array else { throw selector.error("matchExpressions", "must be a list") }
        for (index, element) in elements.enumerated() {
          let expression = try SpecificationReader(element, at: selector.path("matchExpressions[\(index)]"))
          requirements.append(try Self.requirement(expression))
        }
      }
      try selector.finish()
    }
    models = try reader.strings("models") ?? []
    properties = (try reader.strings("properties") ?? []).map { Glob($0) }
    try reader.finish()
  }

  private static func requirement(_ expression: SpecificationReader) throws(SpecificationError) -> Requirement {
    var reader = expression
    guard let key = try reader.string("key") else { throw reader.error("key", "is required") }
    let values = try reader.strings("values") ?? []
    let name = try reader.string("operator") ?? ""
    try reader.finish()
    switch name {
    case "In" where !values.isEmpty: return .isIn(key, values)
    case "NotIn" where !values.isEmpty: return .notIn(key, values)
    case "In", "NotIn": throw reader.error("values", "must not be empty for \(name)")
    case "Exists": return .exists(key)
    case "DoesNotExist": return .absent(key)
    default: throw reader.error("operator", "must be In, NotIn, Exists or DoesNotExist")
    }
  }
}
