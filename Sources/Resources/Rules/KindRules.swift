public import Documents

/// What a kind asks of a write beyond its schema: members that are only written, values that the server gives, and rules
/// that a structural schema cannot say. Pure.
public protocol KindRules: Sendable {
  /// The body as it is to be stored: members that are only written become what they stand for. It is called before the
  /// body is validated, on whole objects and on applied configurations, and more than once: what it made it leaves alone.
  func folding(_ body: JSONValue) -> JSONValue

  /// The object with what the server gives every object of the kind. It is called after the body was found well-formed.
  func completing(_ object: JSONValue) -> JSONValue

  /// What is wrong with the object, in Kubernetes' words; `old` is what it replaces. Causes never carry a value that
  /// may be secret.
  func faults(in object: JSONValue, since old: JSONValue?) -> [APIStatus.Cause]
}

extension KindRules {
  public func folding(_ body: JSONValue) -> JSONValue { body }
  public func completing(_ object: JSONValue) -> JSONValue { object }
  public func faults(in object: JSONValue, since old: JSONValue?) -> [APIStatus.Cause] { [] }
}

/// The rules of a kind that has none beyond its schema.
public struct NoKindRules: KindRules {
  public init() {}
}

extension BuiltInKinds {
  /// The rules of a kind. Kinds that a CRD describes have none: what they need stands in the CRD.
  public static func rules(of resource: ResourceName) -> any KindRules {
    switch resource {
    case namespaces.name: NamespaceRules()
    case secrets.name: SecretRules()
    case configMaps.name: ConfigMapRules()
    default: NoKindRules()
    }
  }
}
