extension KindText {
  static let device = KindText(
    kind: "Device", plural: "devices", shortName: "dev", isNamespaced: true,
    columns: #"""
      - {name: Model, type: string, jsonPath: .status.modelRef.name, description: The model that the device is served by.}
      - {name: Connected, type: string, jsonPath: '.status.conditions[?(@.type=="Connected")].status', description: Whether the device answers.}
      - {name: Synced, type: string, jsonPath: '.status.conditions[?(@.type=="Synced")].status', description: Whether every desired value is confirmed.}
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: The summary.}
      - {name: Reason, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].reason', description: Why it is ready or not.}
      - {name: Node, type: string, jsonPath: .status.nodeName, description: The gateway that serves the device.}
      - {name: Writes, type: string, priority: 1, jsonPath: .spec.writes, description: Whether the gateway may write to the device.}
      - {name: Message, type: string, priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: What is wrong and what to do.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    selectableFields: [".spec.nodeName", ".spec.modelRef.name"],
    spec: #"""
      type: object
      description: A device and what is wanted of it.
      properties:
        nodeName: {type: string, maxLength: 253, description: 'The only gateway that may serve the device. Absent: any that reaches it.'}
        whenIsolated: {type: string, enum: [Hold, KeepWriting], description: 'What a gateway that is cut off from the cluster does to a device without nodeName. Hold, the default: it reads on and writes nothing, since another gateway takes over. KeepWriting: it writes on, and two gateways may write at once.'}
        modelRef: {$use: nameReference, description: The DeviceModel. It may be declared before the model exists.}
        connection:
          type: object
          maxProperties: 1
          description: How to reach the device, under the name of its protocol. It may be left out until the device is found.
          properties: {}
        writes: {type: string, enum: [Enabled, Disabled], default: Enabled, description: Whether the gateway may write to the device.}
        desiredPolicy: {type: string, enum: [LatestWins, SpecWins], description: 'Whose wish counts where the Twin itself is changed too. LatestWins, the default: the latest change. SpecWins: what spec.desired names; a local change of it is kept and shown as drift.'}
        admitted: {type: boolean, description: 'Whether the device is served. Absent means yes; a Discovery with admission Manual creates its Devices with false, and a person sets true.'}
        desired:
          type: object
          maxProperties: 2048
          x-kubernetes-preserve-unknown-fields: true
          description: Desired values by property. Always taken; the twin answers Rejected where the model forbids one. Integers above 2^63-1 are decimal strings.
      """#,
    status: #"""
      nodeName: {type: string, maxLength: 253, description: The gateway that serves the device.}
      modelRef: {$use: nameReference, description: The model that the device is served by.}
      identity: {$use: stringMap, description: 'What the device says it is: vendorName, productCode, serialNumber and the like.'}
      properties:
        type: array
        maxItems: 64
        x-kubernetes-list-type: atomic
        description: The properties that have a desired value, then those that the model marks summary.
        items:
          type: object
          required: [name]
          properties:
            name: {type: string, maxLength: 63, description: The property.}
            reported: {x-kubernetes-preserve-unknown-fields: true, description: The last value from the device.}
            quality: {type: string, enum: [Good, Uncertain, Bad], description: How far the reported value can be trusted.}
            time: {type: string, format: date-time, description: When the reported value was read.}
            desired: {x-kubernetes-preserve-unknown-fields: true, description: The value that is wanted.}
            state: {type: string, enum: [Pending, Writing, Confirmed, Failed, Rejected, Expired, Held], description: How far the desired value got.}
            message: {type: string, maxLength: 1024, description: Why it got no further.}
      propertiesOmitted: {type: integer, format: int32, minimum: 0, description: How many further properties there was no room for.}
      """#)
}
