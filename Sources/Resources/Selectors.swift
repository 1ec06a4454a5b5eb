public import Documents

/// A label selector: all requirements hold (Kubernetes labels and selectors, section Label selectors).
public struct LabelSelector: Sendable, Hashable {
  public enum Requirement: Sendable, Hashable {
    case exists(String)
    case absent(String)
    case isIn(String, [String])
    /// Also holds where the label is absent.
    case notIn(String, [String])
  }
  public var requirements: [Requirement]
  public init(requirements: [Requirement]) { self.requirements = requirements }

  public init(matchLabels: [String: String]) {
    requirements = matchLabels.sorted { $0.key < $1.key }.map { .isIn($0.key, [$0.value]) }
  }

  public func matches(_ labels: [String: String]) -> Bool {
    requirements.allSatisfy { requirement in
      switch requirement {
      case .exists(let key): labels[key] != nil
      case .absent(let key): labels[key] == nil
      case .isIn(let key, let values): labels[key].map(values.contains) ?? false
      case .notIn(let key, let values): labels[key].map { !values.contains($0) } ?? true
      }
    }
  }
}

/// A field selector: dotted paths compared as text; every requirement holds.
public struct FieldSelector: Sendable, Hashable {
  public struct Requirement: Sendable, Hashable {
    public var path: String
    public var value: String
    public var isEqual: Bool
    public init(path: String, value: String, isEqual: Bool) {
      self.path = path
      self.value = value
      self.isEqual = isEqual
    }
  }
  public var requirements: [Requirement]
  public init(requirements: [Requirement]) { self.requirements = requirements }

  public func matches(_ object: JSONValue) -> Bool {
    requirements.allSatisfy { requirement in
      var current: JSONValue? = object
      for key in requirement.path.split(separator: ".") { current = current?[String(key)] }
      let text: String =
        switch current {
        case nil, .null: ""
        case .string(let value): value
        case let other?: other.description
        }
      return (text == requirement.value) == requirement.isEqual
    }
  }
}
