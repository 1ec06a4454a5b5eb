internal import DeviceKit
internal import Documents
internal import Resources
internal import TwinStore

extension TwinBackend {
  /// `twins/NAME/delta`: desired minus reported.
  static let delta = NamedSubresource(
    name: "delta", kind: "TwinDelta", verbs: [.get],
    schema: [
      "type": "object",
      "description":
        "The desired values that the device is not known to hold, compared by type and within the tolerance.",
      "properties": [
        "metadata": ["type": "object"],
        "time": ["type": "string", "format": "date-time", "description": "The moment of the comparison."],
        "version": ["type": "integer", "format": "int64", "description": "The twin's version at that moment."],
        "properties": [
          "type": "array", "description": "Empty: the device holds all that is desired.",
          "items": [
            "type": "object",
            "properties": [
              "name": ["type": "string"], "unit": ["type": "string"],
              "desired": ["x-kubernetes-preserve-unknown-fields": true],
              "reported": [
                "x-kubernetes-preserve-unknown-fields": true,
                "description": "The last usable value; absent before there was one.",
              ],
              "quality": ["type": "string", "enum": ["Good", "Uncertain", "Bad"]],
              "state": ["type": "string", "description": "How far the desired value has come."],
              "reason": ["type": "string"], "message": ["type": "string"],
              "by": ["type": "string", "description": "Who asked."],
              "since": [
                "type": "string", "format": "date-time",
                "description": "When it was asked for or, if the device held it since, when it was found otherwise.",
              ],
            ],
          ],
        ],
      ],
    ])

  func deltaDocument(_ key: ObjectKey) throws(APIStatus) -> JSONValue {
    let twin = try snapshot(key)
    let version = Int64(clamping: twin.version)
    return [
      "apiVersion": .string(Self.definition.apiVersion), "kind": .string(Self.delta.kind),
      "metadata": [
        "name": .string(key.name), "namespace": .string(key.namespace), "resourceVersion": .string("\(version)"),
      ],
      "time": .string(twins.now.description), "version": .integer(version),
      "properties": .array(twin.properties.compactMap(Self.difference)),
    ]
  }

  /// Nil where nothing is desired or the device holds it.
  private static func difference(_ property: TwinSnapshot.Property) -> JSONValue? {
    guard property.holds == false, let wish = property.desired, let state = property.state else { return nil }
    var members: [String: JSONValue] = [
      "name": .string(property.name), "desired": wish.value, "quality": .string(property.reading.quality.name),
      "state": .string(state.rawValue), "by": .string(wish.source.description),
      "since": .string((property.differsSince ?? wish.time).description),
    ]
    if let unit = property.definition?.unit, !unit.isEmpty { members["unit"] = .string(unit) }
    if let value = property.reading.value { members["reported"] = value.json }
    if !property.reason.isEmpty { members["reason"] = .string(property.reason) }
    if !property.message.isEmpty { members["message"] = .string(property.message) }
    return .object(members)
  }
}
