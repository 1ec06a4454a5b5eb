public import Documents
internal import YAML

/// Composes the CustomResourceDefinitions of `selvedge.dev` from the common part and the fragments that protocols and
/// sinks bring: the one source of schemas, columns and subresources.
public enum CRDComposer {
  public static let group = "selvedge.dev"
  public static let version = "v1alpha1"

  /// The CRDs (apiextensions.k8s.io/v1), in a fixed order. Fragments are YAML texts, each one structural schema.
  /// Throws ``SchemaError`` for a fragment that Kubernetes would refuse, and for a default inside list
  /// items, which these kinds never have. `models` has the fragments that protocols add to a model's spec, and `servers`
  /// those of a Gateway's servers, by protocol.
  public static func customResourceDefinitions(
    protocols: [(name: String, connection: String, property: String, discovery: String?)],
    sinks: [(name: String, schema: String)], models: [String: String] = [:], servers: [String: String] = [:]
  ) throws -> [JSONValue] {
    let shared = try SharedSchemas.parsed()
    var specs: [String: JSONValue] = [:]
    for kind in KindText.all {
      if let text = kind.spec { specs[kind.kind] = try fragment(text, of: kind.kind, shared) }
    }
    let names = JSONValue.array(protocols.map { .string($0.name) })
    specs["DeviceModel"]?.at("properties", "protocol") { $0["enum"] = names }
    for plugin in protocols {
      let property = try fragment(plugin.property, of: plugin.name, shared)
      let connection = try fragment(plugin.connection, of: plugin.name, shared)
      specs["DeviceModel"]?.at("properties", "properties", "items", "properties") { $0[plugin.name] = property }
      specs["Device"]?.at("properties", "connection", "properties") { $0[plugin.name] = connection }
      if let text = models[plugin.name] {
        let model = try fragment(text, of: plugin.name, shared)
        specs["DeviceModel"]?.at("properties") { $0[plugin.name] = model }
      }
      if let text = plugin.discovery {
        let discovery = try fragment(text, of: plugin.name, shared)
        specs["Discovery"]?.at("properties") { $0[plugin.name] = discovery }
      }
    }
    for (name, text) in servers {
      let server = try fragment(text, of: name, shared)
      specs["Gateway"]?.at("properties", "servers", "items", "properties") { $0[name] = server }
    }
    specs["Gateway"]?.at("properties", "servers", "items") { $0["oneOf"] = exactlyOne(servers.keys.sorted()) }
    for sink in sinks {
      let schema = try fragment(sink.schema, of: sink.name, shared)
      specs["Sink"]?.at("properties") { $0[sink.name] = schema }
    }
    specs["Discovery"]?["oneOf"] = exactlyOne(protocols.filter { $0.discovery != nil }.map(\.name))
    specs["Sink"]?["oneOf"] = exactlyOne(sinks.map(\.name))
    specs["DeviceModel"]?["x-kubernetes-validations"] = .array(
      protocols.flatMap { propertyRules($0.name) } + [serialNumberRule])
    specs["Discovery"]?["x-kubernetes-validations"] = unchanging(
      protocols.filter { $0.discovery != nil }.map(\.name), "the protocol cannot be changed: make another Discovery")
    specs["Sink"]?["x-kubernetes-validations"] = unchanging(
      sinks.map(\.name), "the kind of receiver cannot be changed: what waits on disk is meant for the old one")
    if let device = specs["Device"] {
      var template = device.loosened()
      template["description"] = "Fields of every Device's spec."
      specs["Discovery"]?.at("properties", "template", "properties") { $0["spec"] = template }
    }
    var definitions: [JSONValue] = []
    for kind in KindText.all {
      let definition = try document(of: kind, spec: specs[kind.kind], shared)
      if let path = definition.pathOfDefaultInItems() {
        throw SchemaError(path: "\(kind.kind)\(path)", message: "a default must not stand inside list items")
      }
      _ = try Schema(ResourceDefinition(crd: definition)?.schema ?? [:])
      definitions.append(definition)
    }
    return definitions
  }

  private static func exactlyOne(_ names: [String]) -> JSONValue? {
    names.isEmpty ? JSONValue?.none : .array(names.map { ["required": [.string($0)]] })
  }

  /// Every property of a model has the fragment of the model's protocol, and none of another.
  private static func propertyRules(_ name: String) -> [JSONValue] {
    let field = RuleIdentifier.escaped(name) ?? name
    func rule(_ condition: String, _ offender: String, _ words: String) -> JSONValue {
      [
        "rule": .string("!has(self.properties) || \(condition)"),
        "messageExpression": .string("'property ' + self.properties.filter(p, \(offender))[0].name + ' \(words)'"),
        "message": .string("a property \(words)"), "fieldPath": ".properties",
      ]
    }
    return [
      rule(
        "self.protocol != '\(name)' || self.properties.all(p, has(p.\(field)))", "!has(p.\(field))",
        "lacks \(name), the protocol of the model"),
      rule(
        "self.protocol == '\(name)' || !self.properties.exists(p, has(p.\(field)))", "has(p.\(field))",
        "has \(name), which is not the protocol of the model"),
    ]
  }

  /// What tells the serial number is a property of the model that can.
  private static let serialNumberRule: JSONValue = [
    "rule": .string(
      "!has(self.identity) || !has(self.identity.serialNumber) || (has(self.properties) && self.properties.exists(p, "
        + "p.name == self.identity.serialNumber && p.type in ['string', 'integer'] && (!has(p.access) || p.access != 'Write')))"
    ),
    "message": "names no property of the model that can be read and is a string or an integer",
    "fieldPath": ".identity.serialNumber",
  ]

  /// The member that an object has of several stays the same.
  private static func unchanging(_ names: [String], _ message: String) -> JSONValue? {
    guard !names.isEmpty else { return JSONValue?.none }
    let rules = names.map { RuleIdentifier.escaped($0) ?? $0 }.map { "has(self.\($0)) == has(oldSelf.\($0))" }
    return [["rule": .string(rules.joined(separator: " && ")), "message": .string(message)]]
  }

  private static func fragment(_ text: String, of owner: String, _ shared: [String: JSONValue]) throws -> JSONValue {
    do {
      return try YAMLDocument.one(in: text).resolvingUses(of: shared)
    } catch {
      throw SchemaError(path: owner, message: "the schema's text is not YAML: \(error)")
    }
  }

  private static func document(of kind: KindText, spec: JSONValue?, _ shared: [String: JSONValue]) throws -> JSONValue {
    var status = try fragment(kind.status, of: kind.kind, shared)
    status["observedGeneration"] = [
      "type": "integer", "format": "int64", "minimum": -1,
      "description": "The metadata.generation that this status is about; -1 before anybody looked.",
    ]
    status["conditions"] = shared["conditions"]?.resolvingUses(of: shared)
    var properties: JSONValue = [
      "apiVersion": ["type": "string", "description": "The version of this representation of the object."],
      "kind": ["type": "string", "description": "The kind of the object."],
      "metadata": ["type": "object", "properties": ["name": nameRule(shared)]],
      "status": ["type": "object", "description": "What the gateway observes.", "properties": status],
    ]
    // So that who waits for the object, or applies it, sees from its first moment that nobody has looked at it yet.
    properties["status"]?["default"] = ["observedGeneration": -1]
    var schema: JSONValue = ["type": "object"]
    if let spec {
      properties["spec"] = spec
      if !kind.mayLackSpec { schema["required"] = ["spec"] }
    }
    schema["properties"] = properties
    var version: JSONValue = [
      "name": .string(Self.version), "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
      "subresources": ["status": [:]], "additionalPrinterColumns": try YAMLDocument.one(in: kind.columns),
    ]
    if !kind.selectableFields.isEmpty {
      version["selectableFields"] = .array(kind.selectableFields.map { ["jsonPath": .string($0)] })
    }
    return [
      "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
      "metadata": ["name": .string("\(kind.plural).\(group)")],
      "spec": [
        "group": .string(group), "scope": kind.isNamespaced ? "Namespaced" : "Cluster",
        "names": [
          "kind": .string(kind.kind), "listKind": .string(kind.kind + "List"), "plural": .string(kind.plural),
          "singular": .string(kind.kind.lowercased()), "shortNames": [.string(kind.shortName)],
          "categories": ["selvedge"],
        ],
        "versions": [version],
      ],
    ]
  }

  private static func nameRule(_ shared: [String: JSONValue]) -> JSONValue { shared["name"] ?? ["type": "string"] }
}

extension JSONValue {
  /// Changes the value at a path of members, in place where it can.
  fileprivate mutating func at(_ path: String..., change: (inout JSONValue) -> Void) {
    at(path[...], change)
  }

  private mutating func at(_ path: ArraySlice<String>, _ change: (inout JSONValue) -> Void) {
    guard let name = path.first else { return change(&self) }
    var inner = self[name] ?? [:]
    inner.at(path.dropFirst(), change)
    self[name] = inner
  }

  /// Every `$use` replaced by the shared piece of that name.
  fileprivate func resolvingUses(of shared: [String: JSONValue]) -> JSONValue {
    switch self {
    case .array(let elements): return .array(elements.map { $0.resolvingUses(of: shared) })
    case .object(var members):
      if case .string(let name)? = members["$use"], let piece = shared[name] {
        members["$use"] = nil
        return .object((piece.resolvingUses(of: shared).object ?? [:]).merging(members) { _, own in own })
      }
      return .object(members.mapValues { $0.resolvingUses(of: shared) })
    default: return self
    }
  }

  /// A schema without defaults and without anything that asks for members: for a partial object.
  fileprivate func loosened(keepRequired: Bool = false) -> JSONValue {
    guard case .object(var members) = self else { return self }
    for key in ["default", "oneOf", "anyOf", "minProperties", "x-kubernetes-validations"] { members[key] = nil }
    if !keepRequired { members["required"] = nil }
    if let properties = members["properties"]?.object {
      members["properties"] = .object(properties.mapValues { $0.loosened() })
    }
    members["additionalProperties"] = members["additionalProperties"]?.loosened()
    let isMap = members["x-kubernetes-list-type"] == "map"
    members["items"] = members["items"]?.loosened(keepRequired: isMap)
    return .object(members)
  }

  /// The path of a `default` below an `items`; nil where there is none.
  fileprivate func pathOfDefaultInItems(_ isInItems: Bool = false) -> String? {
    switch self {
    case .object(let members):
      // A property that is itself called `default` holds a schema; a default next to a type is one.
      if isInItems, members["default"] != nil, members["type"] != nil || members["x-kubernetes-int-or-string"] != nil {
        return ""
      }
      for (name, member) in members.sorted(by: { $0.key < $1.key }) where name != "default" && name != "enum" {
        if let path = member.pathOfDefaultInItems(isInItems || name == "items") { return ".\(name)\(path)" }
      }
      return nil
    case .array(let elements):
      for element in elements { if let path = element.pathOfDefaultInItems(isInItems) { return path } }
      return nil
    default: return nil
    }
  }
}
