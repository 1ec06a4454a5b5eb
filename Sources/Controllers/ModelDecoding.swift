public import DeviceKit
public import Documents
public import TwinStore

/// A DeviceModel as the controllers need it, for one protocol.
public struct DecodedModel: Sendable, Hashable {
  public struct Property: Sendable, Hashable {
    public var definition: PropertyDefinition
    /// The property's `write` fragment; empty where there is none.
    public var writeRules: JSONValue
  }
  public var name: String
  public var protocolName: String
  /// The protocol's fragment of the model's spec; empty where there is none.
  public var traits: JSONValue
  public var properties: [Property]

  /// Reads a DeviceModel object. Properties without a fragment for the model's protocol get an empty binding: the
  /// protocol says what it misses. Nil where the schema would have refused the object.
  public init?(_ object: JSONValue) {
    guard let name = object[path: "metadata", "name"]?.string, let spec = object["spec"],
      let protocolName = spec["protocol"]?.string
    else { return nil }
    self.name = name
    self.protocolName = protocolName
    traits = spec[protocolName] ?? [:]
    let persistEvery = Self.duration(spec, "persist")
    properties = (spec["properties"]?.array ?? []).compactMap { property in
      guard let name = property["name"]?.string,
        let type = property["type"]?.string.flatMap(PropertyType.init(rawValue:))
      else { return nil }
      var definition = PropertyDefinition(
        name: name, type: type, unit: property["unit"]?.string ?? "",
        access: property["access"]?.string.flatMap(PropertyDefinition.Access.init(rawValue:)) ?? .read,
        minimum: property["minimum"]?.number, maximum: property["maximum"]?.number,
        allowed: property["enum"]?.array ?? [], isSummary: property["summary"]?.bool ?? false,
        pollEvery: Self.duration(property, "poll") ?? .seconds(10),
        persistEvery: Self.duration(property, "persist") ?? persistEvery, binding: property[protocolName] ?? [:],
        items: property["items"]?.string.flatMap(PropertyType.init(rawValue:)), maximumItems: property["maxItems"]?.int)
      if let history = property["history"] {
        definition.history = ReportedHistory(
          reported: history["reported"]?.string.flatMap(ReportedHistory.Rule.init(rawValue:)),
          deadband: history["deadband"]?.number)
      }
      return Property(definition: definition, writeRules: property["write"] ?? [:])
    }
  }

  /// The property of this name.
  func definition(of name: String) -> PropertyDefinition? {
    properties.first { $0.definition.name == name }?.definition
  }

  /// The properties with their rules of writing. Throws a permanent ``DeviceError`` for rules that cannot be read, and
  /// for an order of writing that cannot be kept.
  public func ruledProperties() throws(DeviceError) -> [(PropertyDefinition, WriteRules)] {
    var result: [(PropertyDefinition, WriteRules)] = []
    for property in properties {
      // A scaled register holds no value between two steps: half a step is no drift.
      let binding = property.definition.binding
      let bits = min(max(binding["fractionBits"]?.int ?? 0, 0), 62)
      let step = (binding["scale"]?.number ?? (bits > 0 ? 1 : 0)) / Double(UInt64(1) << UInt64(bits))
      result.append((property.definition, try WriteRules(write: property.writeRules, resolution: step)))
    }
    if let fault = WriteOrder.fault(in: result.map { ($0.0.name, $0.1) }) { throw fault }
    return result
  }

  /// The field `every` of a member of `object`.
  private static func duration(_ object: JSONValue, _ member: String) -> Duration? {
    object[path: member, "every"]?.string.flatMap { Duration(manifest: $0) }
  }

  /// Whether any entry of the object's `spec.match` holds for what discovery learned: every key of the entry is
  /// known and its glob matches the whole value.
  public static func matches(_ object: JSONValue, identity: [String: String]) -> Bool {
    (object[path: "spec", "match"]?.array ?? []).contains { entry in
      guard let entry = entry.object, !entry.isEmpty else { return false }
      return entry.allSatisfy { key, pattern in
        guard let pattern = pattern.string, let value = identity[key] else { return false }
        return Glob(pattern).matches(value)
      }
    }
  }
}

extension IdentifyingModel {
  /// What a DeviceModel's `spec.identity` says; nil where it says nothing, or the model is of another protocol.
  public init?(_ object: JSONValue, protocolName: String) {
    guard let name = object[path: "spec", "identity", "serialNumber"]?.string, let model = DecodedModel(object),
      model.protocolName == protocolName, let property = model.definition(of: name), property.access.canRead
    else { return nil }
    func text(_ field: String) -> String {
      let text = object[path: "spec", field]?.string ?? ""
      return text.isEmpty ? model.name : text
    }
    self.init(manufacturer: text("manufacturer"), model: text("model"), serialNumber: property)
  }
}
