package import DeviceKit
internal import Documents

/// A way in which devices announce themselves over MQTT: a pure state machine over retained messages.
package protocol DiscoveryConvention: Sendable {
  /// The key in `Discovery.spec.mqtt.conventions`.
  static var name: String { get }
  /// What it has to hear.
  static var filters: [String] { get }
  init()
  /// Takes one message, of any topic; true: the set has changed.
  mutating func handle(_ topic: String, _ payload: [UInt8]) -> Bool
  /// The full current set, in a stable order.
  var devices: [AnnouncedDevice] { get }
}

/// A device as its convention announces it.
package struct AnnouncedDevice: Sendable, Hashable {
  /// `convention`, and what is known of `vendorName`, `model`, `serialNumber`, `mac`, `ieeeAddress`, `firmware`.
  package var identity: [String: String]
  package var stableID: String
  package var name: String
  /// The topic under which its values are; empty where there is no single one.
  package var base: String

  package func discovered(broker: String) -> DiscoveredDevice {
    var connection: JSONValue = ["brokerRef": ["name": .string(broker)]]
    if !base.isEmpty { connection["base"] = .string(base) }
    return DiscoveredDevice(identity: identity, stableID: stableID, nameHint: name, connection: connection)
  }
}

/// The conventions that are served.
package enum Conventions {
  private static let all: [any DiscoveryConvention.Type] = []

  package static func named(_ name: String) -> (any DiscoveryConvention)? { all.first { $0.name == name }?.init() }
}
