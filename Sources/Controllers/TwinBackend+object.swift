internal import DeviceKit
internal import Documents
internal import Resources
internal import TwinStore

extension TwinBackend {
  /// The twin as a Kubernetes object. `version` replaces the twin's own where a watch must not run ahead of itself.
  static func object(_ twin: TwinSnapshot, labels: [String: String], version: UInt64? = nil) -> JSONValue {
    var metadata: JSONValue = [
      "name": .string(twin.device.name), "namespace": .string(twin.device.namespace), "uid": .string(twin.uid),
      "resourceVersion": .string("\(version ?? twin.version)"), "creationTimestamp": .string(twin.created.secondsText),
    ]
    if !labels.isEmpty { metadata["labels"] = .object(labels.mapValues { .string($0) }) }
    var desired: [String: JSONValue] = [:]
    var unconfirmed: Int64 = 0
    var bad: Int64 = 0
    for property in twin.properties {
      if property.reading.quality == .bad, property.definition?.access.canRead ?? false { bad += 1 }
      guard let wish = property.desired else { continue }
      desired[property.name] = wish.value
      if property.state != .confirmed { unconfirmed += 1 }
    }
    return [
      "apiVersion": .string(definition.apiVersion), "kind": .string(definition.kind), "metadata": metadata,
      "spec": ["desired": .object(desired)],
      "status": [
        "served": .bool(twin.isAttached), "connected": .bool(twin.isConnected),
        "writes": twin.writesEnabled ? "Enabled" : "Disabled",
        "desiredPolicy": .string(twin.policy.rawValue),
        "counts": [
          "properties": .integer(Int64(twin.properties.count)), "desired": .integer(Int64(desired.count)),
          "unconfirmed": .integer(unconfirmed), "bad": .integer(bad),
        ],
        "properties": .array(twin.properties.map(entry)),
      ],
    ]
  }

  private static func entry(_ property: TwinSnapshot.Property) -> JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(property.name), "quality": .string(property.reading.quality.name),
      "version": .integer(Int64(clamping: property.version)),
    ]
    if let definition = property.definition {
      members["type"] = .string(definition.type.rawValue)
      members["access"] = .string(definition.access.rawValue)
      if let items = definition.items { members["items"] = .string(items.rawValue) }
      if !definition.unit.isEmpty { members["unit"] = .string(definition.unit) }
    }
    if let value = property.reading.value {
      members["reported"] = value.json
      members["sourceTime"] = .string(property.reading.sourceTime.description)
    }
    if property.reading.gatewayTime.nanoseconds > 0 {
      members["gatewayTime"] = .string(property.reading.gatewayTime.description)
    }
    if !property.reading.cause.isEmpty { members["cause"] = .string(property.reading.cause) }
    if let wish = property.desired, let state = property.state {
      members["desired"] = wish.value
      members["desiredBy"] = .string(wish.source.description)
      members["desiredTime"] = .string(wish.time.description)
      members["state"] = .string(state.rawValue)
      members["attempts"] = .integer(Int64(property.attempts))
      if !property.reason.isEmpty { members["reason"] = .string(property.reason) }
      if !property.message.isEmpty { members["message"] = .string(property.message) }
    }
    if let spec = property.specDesired, property.desired?.value != spec { members["specDesired"] = spec }
    if let drift = property.drift { members["drift"] = drift.json }
    if let confirmedAt = property.confirmedAt { members["confirmedTime"] = .string(confirmedAt.description) }
    return .object(members)
  }

  /// All that a watcher of a twin that is gone can be told.
  static func tombstone(_ device: DeviceKey, version: UInt64) -> JSONValue {
    [
      "apiVersion": .string(definition.apiVersion), "kind": .string(definition.kind),
      "metadata": [
        "name": .string(device.name), "namespace": .string(device.namespace), "resourceVersion": .string("\(version)"),
      ],
    ]
  }
}
