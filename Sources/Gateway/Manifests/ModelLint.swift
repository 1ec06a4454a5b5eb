import Controllers
public import DeviceKit
public import Documents
import Resources

/// Looks DeviceModels over: what the schema refuses, what the protocol cannot serve, and what is probably a slip.
public struct ModelLint: Sendable {
  private let validator: ManifestValidator
  private let plugins: BuiltInPlugins

  public init() throws {
    validator = try ManifestValidator(BuiltInPlugins.definitions())
    plugins = .forSchemas
  }

  /// What there is to say of a DeviceModel; what the schema refuses, alone.
  public func findings(in document: JSONValue) -> [ModelFinding] {
    guard document["kind"]?.string == "DeviceModel" else {
      return [
        ModelFinding(.error, "", "not a DeviceModel but a \(document["kind"]?.string ?? "document without kind")")
      ]
    }
    var findings = validator.validate(document).map { ModelFinding(.error, "", $0.description) }
    guard findings.isEmpty, let model = DecodedModel(document) else { return findings }
    do throws(DeviceError) { _ = try model.ruledProperties() } catch {
      findings.append(ModelFinding(.error, "", error.message))
    }
    if model.properties.isEmpty { findings.append(ModelFinding(.warning, "properties", "the model has no property")) }
    for (index, property) in model.properties.enumerated() {
      findings += Self.findings(in: property, at: "properties[\(index)]")
    }
    if let plugin = plugins.protocols.first(where: { $0.name == model.protocolName }) {
      findings += plugin.findings(in: model.properties.map(\.definition), model: model.traits)
    }
    return findings
  }

  private static func findings(in property: DecodedModel.Property, at path: String) -> [ModelFinding] {
    let definition = property.definition
    var findings: [ModelFinding] = []
    func say(_ severity: ModelFinding.Severity, _ field: String, _ message: String) {
      findings.append(ModelFinding(severity, "\(path).\(field)", "property '\(definition.name)': \(message)"))
    }
    if !definition.unit.isEmpty, let fault = UnitOfMeasure.fault(in: definition.unit) { say(.warning, "unit", fault) }
    let isNumber = definition.type == .number || definition.type == .integer
    if !definition.unit.isEmpty, !isNumber, definition.type != .array {
      say(.warning, "unit", "a unit goes with a number, the type is \(definition.type.rawValue)")
    }
    if let minimum = definition.minimum, minimum == definition.maximum {
      say(.warning, "minimum", "minimum and maximum are both \(minimum)")
    }
    for (index, value) in definition.allowed.enumerated() where Value(value, for: definition) == nil {
      say(.error, "enum[\(index)]", "\(value) is not of type \(definition.type.rawValue)")
    }
    if definition.access != .read, isNumber, definition.allowed.isEmpty,
      definition.minimum == nil || definition.maximum == nil
    {
      say(.warning, "access", "a writable number needs minimum and maximum, or enum")
    }
    if definition.access != .read, property.writeRules == [:] {
      say(.warning, "write", "say how a written value is confirmed and kept")
    }
    return findings
  }

  /// What a file of a library lacks besides: where its registers are from, what it leaves out, and the model's name.
  public static func libraryFindings(in text: String, file: String, models: [JSONValue]) -> [ModelFinding] {
    var findings: [ModelFinding] = []
    let head = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.joined(separator: "\n")
    for (mark, meaning) in [("# Source:", "names no source"), ("Not covered:", "does not say what is not covered")]
    where !head.contains(mark) {
      findings.append(ModelFinding(.error, "", "the comment at the top \(meaning) (\(mark) …)"))
    }
    let name = file.split(separator: "/").last.map(String.init) ?? file
    if models.count != 1 {
      findings.append(ModelFinding(.error, "", "one model a file, there are \(models.count)"))
    } else if let model = models[0][path: "metadata", "name"]?.string, name != model + ".yaml" {
      findings.append(ModelFinding(.error, "metadata.name", "the file is to be called \(model).yaml"))
    }
    return findings
  }
}
