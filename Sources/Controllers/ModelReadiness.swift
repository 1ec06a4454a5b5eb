internal import DeviceKit
public import Documents
internal import Resources

extension Readiness {
  /// How a DeviceModel fares: whether Devices can be served by it.
  /// - Parameters:
  ///   - protocolNames: those that the gateway speaks.
  ///   - devices: how many Devices are served by it.
  public static func ofModel(_ object: JSONValue, protocolNames: Set<String>, devices: Int) -> Readiness {
    let fields: JSONValue = ["devices": .integer(Int64(devices))]
    func faulty(_ reason: String, _ message: String) -> Readiness {
      Readiness(.false, reason, message, isStalled: true, fields: fields)
    }
    guard let model = DecodedModel(object) else {
      return faulty("InvalidModel", "spec.protocol is not set: name the protocol that the device speaks")
    }
    guard protocolNames.contains(model.protocolName) else {
      return faulty(
        "UnknownProtocol",
        "spec.protocol: \(model.protocolName) is no protocol of this gateway, which speaks "
          + protocolNames.sorted().joined(separator: ", "))
    }
    do throws(DeviceError) {
      _ = try model.ruledProperties()
    } catch {
      return faulty(error.reason, error.message)
    }
    return Readiness(.true, "Valid", "Devices can be served by it", fields: fields)
  }
}
