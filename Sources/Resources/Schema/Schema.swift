public import Documents

/// Why a document is no structural schema, and where in it.
public struct SchemaError: Error, Sendable, Equatable, CustomStringConvertible {
  public var path: String
  public var message: String
  public var description: String { "\(path): \(message)" }
  public init(path: String, message: String) {
    self.path = path
    self.message = message
  }
}

/// A structural OpenAPI v3 schema (apiextensions.k8s.io/v1), compiled once and immutable.
///
/// Prunes, defaults and validates values; ``Schema/pruning(_:)``, ``Schema/defaulting(_:)`` and ``Schema/faults(in:)``.
public final class Schema: Sendable {
  enum Kind: String, Sendable {
    case object, array, string, integer, number, boolean
  }
  enum ListType: String, Sendable {
    case atomic, set, map
  }
  let kind: Kind?
  let isNullable: Bool
  let isIntOrString: Bool
  let preservesUnknown: Bool
  let isEmbeddedResource: Bool
  let properties: [String: Schema]
  /// The schema of members that `properties` does not name.
  let additional: Schema?
  /// `additionalProperties: true`.
  let allowsAdditional: Bool
  let items: Schema?
  let required: [String]
  let fallback: JSONValue?
  let listType: ListType
  let listMapKeys: [String]
  let isAtomicMap: Bool
  let rules: ValueRules
  /// The node's own rules, in order.
  let validations: [ValidationRule]
  /// Whether a rule stands here or anywhere below.
  public let hasRules: Bool
  /// What a rule sees of a value; nil where it sees nothing.
  let ruleType: RuleType?
  /// Whether a default stands anywhere below.
  let hasDefaults: Bool
  public let description: String

  /// Compiles `document`; throws where Kubernetes would not take it as a structural schema.
  public convenience init(_ document: JSONValue) throws(SchemaError) {
    try self.init(document, path: "schema", depth: 0)
  }

  init(
    _ document: JSONValue, path: String, depth: Int, isValueOnly: Bool = false, isCorrelatable: Bool = true
  ) throws(SchemaError) {
    func fail(_ message: String) -> SchemaError { SchemaError(path: path, message: message) }
    guard let members = document.object else { throw fail("a schema must be an object") }
    guard depth < 60 else { throw fail("nested too deep") }
    for key in members.keys where !Self.keywords.contains(key) { throw fail("keyword \(key) is not supported") }
    isIntOrString = members["x-kubernetes-int-or-string"]?.bool ?? false
    preservesUnknown = members["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
    isEmbeddedResource = members["x-kubernetes-embedded-resource"]?.bool ?? false
    isNullable = members["nullable"]?.bool ?? false
    description = members["description"]?.string ?? ""
    try Self.checkPlacement(members, path, isValueOnly: isValueOnly)
    if let text = members["type"]?.string {
      guard let kind = Kind(rawValue: text) else { throw fail("unknown type \(text)") }
      self.kind = kind
    } else {
      kind = nil
      guard isIntOrString || preservesUnknown || isValueOnly else { throw fail("type is missing") }
      guard !isEmbeddedResource else { throw fail("an embedded resource must be of type object") }
    }
    isAtomicMap = members["x-kubernetes-map-type"]?.string == "atomic"
    listType = try Self.listType(members, path)
    let isInnerCorrelatable = isCorrelatable && !isAtomicMap && (kind != .array || listType == .map)
    var compiled: [String: Schema] = [:]
    for (name, property) in members["properties"]?.object ?? [:] {
      compiled[name] = try Schema(
        property, path: "\(path).\(name)", depth: depth + 1, isValueOnly: isValueOnly,
        isCorrelatable: isInnerCorrelatable)
    }
    properties = compiled
    switch members["additionalProperties"] {
    case nil: (additional, allowsAdditional) = (nil, false)
    case .bool(let allowed)?: (additional, allowsAdditional) = (nil, allowed)
    case let other?:
      additional = try Schema(
        other, path: "\(path).*", depth: depth + 1, isValueOnly: isValueOnly, isCorrelatable: isInnerCorrelatable)
      allowsAdditional = true
    }
    guard compiled.isEmpty || members["additionalProperties"] == nil else {
      throw fail("properties and additionalProperties exclude each other")
    }
    items =
      if let items = members["items"] {
        try Schema(
          items, path: "\(path)[]", depth: depth + 1, isValueOnly: isValueOnly, isCorrelatable: isInnerCorrelatable)
      } else { nil }
    if kind == .array, items == nil, !isValueOnly { throw fail("items is missing") }
    required = (members["required"]?.array ?? []).compactMap(\.string)
    fallback = members["default"]
    listMapKeys = (members["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string)
    if listType == .map {
      guard !listMapKeys.isEmpty else { throw fail("x-kubernetes-list-map-keys is missing") }
      for key in listMapKeys {
        guard let property = items?.properties[key] else {
          throw fail("the list-map key \(key) is no property of its items")
        }
        guard let kind = property.kind, kind != .object, kind != .array else {
          throw fail("the list-map key \(key) must be a scalar")
        }
        guard items?.required.contains(key) == true || property.fallback != nil else {
          throw fail("the list-map key \(key) must be required or have a default")
        }
      }
    }
    rules = try ValueRules(members, path: path, depth: depth)
    ruleType = RuleType(
      kind: kind, format: rules.format, isIntOrString: isIntOrString, properties: compiled, additional: additional,
      items: items)
    validations = try Self.validations(
      members["x-kubernetes-validations"], path, ruleType, isValueOnly: isValueOnly, isCorrelatable: isCorrelatable)
    hasRules =
      !validations.isEmpty || compiled.values.contains { $0.hasRules } || additional?.hasRules ?? false
      || items?.hasRules ?? false
    hasDefaults =
      fallback != nil || compiled.values.contains { $0.hasDefaults } || additional?.hasDefaults ?? false
      || items?.hasDefaults ?? false
    if let fallback, !isValueOnly, let fault = faults(in: fallback).first {
      throw fail("the default does not fit: \(fault.field.isEmpty ? "" : fault.field + ": ")\(fault.message)")
    }
  }

  /// Refuses what a structural schema must not have at this place (Kubernetes' documentation of CRDs, section Specifying
  /// a structural schema).
  private static func checkPlacement(
    _ members: [String: JSONValue], _ path: String, isValueOnly: Bool
  ) throws(SchemaError) {
    func fail(_ message: String) -> SchemaError { SchemaError(path: path, message: message) }
    if isValueOnly {
      let forbidden = ["type", "description", "title", "default", "additionalProperties", "nullable"]
      for key in members.keys.sorted() where forbidden.contains(key) || key.hasPrefix("x-kubernetes-") {
        throw fail("\(key) must not stand within allOf, anyOf, oneOf or not")
      }
      return
    }
    let type = members["type"]?.string
    if members["x-kubernetes-int-or-string"]?.bool == true, type != nil {
      throw fail("x-kubernetes-int-or-string and type exclude each other")
    }
    if members["x-kubernetes-preserve-unknown-fields"]?.bool == false {
      throw fail("x-kubernetes-preserve-unknown-fields must be true or absent")
    }
    if members["x-kubernetes-list-type"] != nil, type != "array" {
      throw fail("x-kubernetes-list-type needs type array")
    }
    if members["x-kubernetes-map-type"] != nil, type != "object" {
      throw fail("x-kubernetes-map-type needs type object")
    }
    if members["x-kubernetes-embedded-resource"]?.bool == true, type != "object" {
      throw fail("an embedded resource must be of type object")
    }
  }

  private static func listType(_ members: [String: JSONValue], _ path: String) throws(SchemaError) -> ListType {
    guard let text = members["x-kubernetes-list-type"]?.string else { return .atomic }
    guard let type = ListType(rawValue: text) else {
      throw SchemaError(path: path, message: "x-kubernetes-list-type must be atomic, set or map, not \(text)")
    }
    return type
  }

  private static func validations(
    _ document: JSONValue?, _ path: String, _ type: RuleType?, isValueOnly: Bool, isCorrelatable: Bool
  ) throws(SchemaError) -> [ValidationRule] {
    guard let document else { return [] }
    guard !isValueOnly else {
      throw SchemaError(
        path: path, message: "x-kubernetes-validations must not stand within allOf, anyOf, oneOf or not")
    }
    guard let entries = document.array else {
      throw SchemaError(path: path, message: "x-kubernetes-validations must be a list")
    }
    var rules: [ValidationRule] = []
    for (index, entry) in entries.enumerated() {
      do throws(RuleError) {
        rules.append(try ValidationRule(entry, type: type, isCorrelatable: isCorrelatable))
      } catch {
        let text = entry["rule"]?.string ?? ""
        throw SchemaError(path: path, message: "x-kubernetes-validations[\(index)]: rule \(text): \(error)")
      }
    }
    return rules
  }

  /// The schema of a member; nil where the schema says nothing about it.
  func member(_ name: String) -> Schema? { properties[name] ?? additional }

  /// Whether a member that has no schema of its own stays.
  var keepsUnknownMembers: Bool { preservesUnknown || allowsAdditional }

  private static let keywords: Set<String> = [
    "type", "description", "title", "properties", "additionalProperties", "items", "required", "default", "enum",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern", "minItems",
    "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf", "format", "nullable", "allOf", "anyOf",
    "oneOf", "not", "example", "externalDocs", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string",
    "x-kubernetes-embedded-resource", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
    "x-kubernetes-validations",
  ]
}
