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
  /// Whether a default stands anywhere below.
  let hasDefaults: Bool
  public let description: String

  /// Compiles `document`; throws where Kubernetes would not take it as a structural schema.
  public convenience init(_ document: JSONValue) throws(SchemaError) {
    try self.init(document, path: "schema", depth: 0)
  }

  init(_ document: JSONValue, path: String, depth: Int, isValueOnly: Bool = false) throws(SchemaError) {
    func fail(_ message: String) -> SchemaError { SchemaError(path: path, message: message) }
    guard let members = document.object else { throw fail("a schema must be an object") }
    guard depth < 60 else { throw fail("nested too deep") }
    for key in members.keys where !Self.keywords.contains(key) { throw fail("keyword \(key) is not supported") }
    isIntOrString = members["x-kubernetes-int-or-string"]?.bool ?? false
    preservesUnknown = members["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
    isEmbeddedResource = members["x-kubernetes-embedded-resource"]?.bool ?? false
    isNullable = members["nullable"]?.bool ?? false
    description = members["description"]?.string ?? ""
    if let text = members["type"]?.string {
      guard let kind = Kind(rawValue: text) else { throw fail("unknown type \(text)") }
      self.kind = kind
    } else {
      kind = nil
      guard isIntOrString || preservesUnknown || isValueOnly else { throw fail("type is missing") }
    }
    var compiled: [String: Schema] = [:]
    for (name, property) in members["properties"]?.object ?? [:] {
      compiled[name] = try Schema(property, path: "\(path).\(name)", depth: depth + 1, isValueOnly: isValueOnly)
    }
    properties = compiled
    switch members["additionalProperties"] {
    case nil: (additional, allowsAdditional) = (nil, false)
    case .bool(let allowed)?: (additional, allowsAdditional) = (nil, allowed)
    case let other?:
      additional = try Schema(other, path: "\(path).*", depth: depth + 1, isValueOnly: isValueOnly)
      allowsAdditional = true
    }
    guard compiled.isEmpty || members["additionalProperties"] == nil else {
      throw fail("properties and additionalProperties exclude each other")
    }
    items =
      if let items = members["items"] {
        try Schema(items, path: "\(path)[]", depth: depth + 1, isValueOnly: isValueOnly)
      } else { nil }
    if kind == .array, items == nil, !isValueOnly { throw fail("items is missing") }
    required = (members["required"]?.array ?? []).compactMap(\.string)
    fallback = members["default"]
    listType = members["x-kubernetes-list-type"]?.string.flatMap(ListType.init) ?? .atomic
    listMapKeys = (members["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string)
    if listType == .map {
      guard !listMapKeys.isEmpty else { throw fail("x-kubernetes-list-map-keys is missing") }
      for key in listMapKeys {
        guard let property = items?.properties[key] else {
          throw fail("the list-map key \(key) is no property of its items")
        }
        guard items?.required.contains(key) == true || property.fallback != nil else {
          throw fail("the list-map key \(key) must be required or have a default")
        }
      }
    }
    isAtomicMap = members["x-kubernetes-map-type"]?.string == "atomic"
    rules = try ValueRules(members, path: path, depth: depth)
    hasDefaults =
      fallback != nil || compiled.values.contains { $0.hasDefaults } || additional?.hasDefaults ?? false
      || items?.hasDefaults ?? false
    if let fallback, !isValueOnly, let fault = faults(in: fallback).first {
      throw fail("the default does not fit: \(fault.field.isEmpty ? "" : fault.field + ": ")\(fault.message)")
    }
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
