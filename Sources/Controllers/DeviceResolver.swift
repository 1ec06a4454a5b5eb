internal import DeviceKit
public import Documents

/// How a Device is to be served: everything that, when it changes, needs a new session.
public struct ServingPlan: Sendable, Hashable {
  public var model: DecodedModel
  /// The protocol's fragment of the Device's connection.
  public var connection: JSONValue
  public var writesEnabled: Bool
  public init(model: DecodedModel, connection: JSONValue, writesEnabled: Bool) {
    self.model = model
    self.connection = connection
    self.writesEnabled = writesEnabled
  }
}

/// What comes of a Device once its references are looked up. Pure: the same for the same objects, in whatever order
/// they came.
public enum DeviceResolution: Sendable, Hashable {
  case serve(ServingPlan)
  /// Something is missing that may still come: the condition says what.
  case waiting(reason: String, message: String)
  /// Only a change of a manifest can help.
  case faulty(reason: String, message: String)
  /// Another gateway's device.
  case elsewhere
}

/// Resolves Devices against the DeviceModels.
public struct DeviceResolver: Sendable {
  /// Names the model to take where neither the spec nor the identity says one; set by discovery.
  public static let fallbackModelAnnotation = "selvedge.dev/fallback-model"

  public var nodeName: String
  public var protocolNames: Set<String>
  /// `--read-only`: no write to any device.
  public var isReadOnly: Bool

  public init(nodeName: String, protocolNames: Set<String>, isReadOnly: Bool) {
    self.nodeName = nodeName
    self.protocolNames = protocolNames
    self.isReadOnly = isReadOnly
  }

  public func resolve(_ device: JSONValue, models: [String: JSONValue]) -> DeviceResolution {
    let spec = device["spec"] ?? [:]
    if let node = spec["nodeName"]?.string, !node.isEmpty, node != nodeName { return .elsewhere }
    if spec["admitted"]?.bool == false {
      return .waiting(reason: "AwaitingAdmission", message: "set spec.admitted to true to have the device served")
    }
    let connections = (spec["connection"]?.object ?? [:]).filter { !$0.value.isNull }
    guard let (protocolName, connection) = connections.first else {
      return .waiting(
        reason: "NoConnection", message: "spec.connection is not set; the device has not been found yet")
    }
    guard connections.count == 1 else {
      return .faulty(
        reason: "SeveralConnections",
        message: "spec.connection names \(connections.keys.sorted().joined(separator: " and ")): keep one")
    }
    guard protocolNames.contains(protocolName) else {
      return .faulty(
        reason: "UnknownProtocol", message: "spec.connection.\(protocolName) is no protocol of this gateway")
    }
    guard let modelName = modelName(of: device, models: models) else {
      return .waiting(
        reason: "NoModel",
        message:
          "spec.modelRef is not set and no DeviceModel's spec.match fits the identity \(identityText(of: device))")
    }
    guard let object = models[modelName], let model = DecodedModel(object) else {
      return .waiting(reason: "ModelNotFound", message: "DeviceModel \"\(modelName)\" does not exist yet")
    }
    guard model.protocolName == protocolName else {
      return .faulty(
        reason: "ProtocolMismatch",
        message:
          "DeviceModel \"\(modelName)\" speaks \(model.protocolName), spec.connection names \(protocolName)")
    }
    do throws(DeviceError) {
      _ = try model.ruledProperties()
    } catch {
      return .faulty(reason: error.reason, message: "DeviceModel \"\(modelName)\": \(error.message)")
    }
    let writesEnabled = !isReadOnly && spec["writes"]?.string != "Disabled"
    return .serve(ServingPlan(model: model, connection: connection, writesEnabled: writesEnabled))
  }

  /// The model that the spec names, else the first (by name) whose match fits the identity, else discovery's fallback.
  public func modelName(of device: JSONValue, models: [String: JSONValue]) -> String? {
    if let name = device[path: "spec", "modelRef", "name"]?.string { return name }
    return Self.modelName(
      fitting: Self.identity(of: device), models: models,
      fallback: device[path: "metadata", "annotations", DeviceResolver.fallbackModelAnnotation]?.string)
  }

  /// The first model (by name) whose match fits the identity, else `fallback`.
  static func modelName(fitting identity: [String: String], models: [String: JSONValue], fallback: String?) -> String? {
    guard !identity.isEmpty else { return fallback }
    return models.filter { DecodedModel.matches($0.value, identity: identity) }.keys.min() ?? fallback
  }

  /// What discovery has learned of the Device.
  static func identity(of device: JSONValue) -> [String: String] {
    (device[path: "status", "identity"]?.object ?? [:]).compactMapValues(\.string)
  }

  private func identityText(of device: JSONValue) -> String {
    let identity = Self.identity(of: device)
    guard !identity.isEmpty else { return "(none known)" }
    return identity.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
  }
}
