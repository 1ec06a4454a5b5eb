extension KindText {
  static let deviceModel = KindText(
    kind: "DeviceModel", plural: "devicemodels", shortName: "dm", isNamespaced: false,
    columns: #"""
      - {name: Manufacturer, type: string, jsonPath: .spec.manufacturer, description: Who makes the device.}
      - {name: Model, type: string, jsonPath: .spec.model, description: The maker's name for it.}
      - {name: Protocol, type: string, jsonPath: .spec.protocol, description: How the device speaks.}
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: Whether the model can be served.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    spec: #"""
      type: object
      description: What a kind of device can tell and be told, and where each value stands in its protocol.
      required: [protocol]
      properties:
        manufacturer: {type: string, maxLength: 128, description: Who makes the device.}
        model: {type: string, maxLength: 128, description: The maker's name for it.}
        description: {type: string, maxLength: 4096, description: Anything a reader should know about the device or the source of its register map.}
        protocol:
          type: string
          maxLength: 63
          description: The protocol whose fragment each property carries.
          x-kubernetes-validations:
          - rule: "self == oldSelf"
            message: 'cannot be changed: a model of another protocol is another model'
        match:
          type: array
          maxItems: 64
          x-kubernetes-list-type: atomic
          description: A discovered device has this model where any entry matches its identity; the values are globs.
          items:
            type: object
            minProperties: 1
            maxProperties: 16
            additionalProperties: {type: string, minLength: 1, maxLength: 256}
        identity:
          type: object
          description: How a device of this model tells who it is, where its protocol alone does not.
          properties:
            serialNumber: {$use: name, description: 'The property that holds the serial number, a string or an integer. Discovery reads it of what fits the model; maker, model and serial number then are the device, wherever it moves.'}
        persist:
          type: object
          description: How the reported values are kept on the gateway's disk.
          properties:
            every: {$use: duration, description: A property is written at most once in this span; 0s is at every change. Absent is 60s.}
        properties:
          type: array
          maxItems: 2048
          x-kubernetes-list-type: map
          x-kubernetes-list-map-keys: [name]
          description: The values of the device.
          items:
            type: object
            required: [name, type]
            x-kubernetes-validations:
            - rule: "!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum"
              message: minimum must not be greater than maximum
              fieldPath: .minimum
            - rule: "(!has(self.minimum) && !has(self.maximum)) || self.type in ['integer', 'number']"
              message: minimum and maximum are for the types integer and number only
            - rule: "!has(self.write) || (has(self.access) && self.access != 'Read')"
              message: 'write is for properties whose access is ReadWrite or Write'
              fieldPath: .write
            properties:
              name: {$use: name, description: The property's name; unique within the model.}
              description: {type: string, maxLength: 1024, description: What the value means.}
              type: {type: string, enum: [boolean, integer, number, string, object, array], description: The type in the twin.}
              items: {type: string, enum: [boolean, integer, number, string], description: The type of an array's elements. Absent is any.}
              maxItems: {type: integer, minimum: 1, maximum: 65536, description: The most elements of an array. Absent is any number.}
              unit: {type: string, maxLength: 32, description: The unit after scaling.}
              access: {type: string, enum: [Read, ReadWrite, Write], description: What may be done with it. Absent is Read.}
              minimum: {type: number, description: The smallest value that may be desired; in an array of each element.}
              maximum: {type: number, description: The largest value that may be desired; in an array of each element.}
              enum:
                type: array
                minItems: 1
                maxItems: 256
                x-kubernetes-list-type: atomic
                items: {x-kubernetes-preserve-unknown-fields: true}
                description: The only values that may be desired.
              summary: {type: boolean, description: Whether the value is also shown in the Device's status.}
              poll:
                type: object
                description: How the value is read where the protocol does not send it by itself.
                properties:
                  every: {$use: period, description: The period of reading. Absent is 10s.}
              persist:
                type: object
                description: How the reported value is kept on the gateway's disk.
                properties:
                  every: {$use: duration, description: It is written at most once in this span; 0s is at every change. Absent is the model's.}
              history:
                type: object
                description: What the twin's history keeps of the reported values.
                properties:
                  reported: {type: string, enum: ['Off', Changes], description: 'Whether changes are kept. Absent is Changes for booleans, strings and what has an enum, for other numbers with a deadband or in the summary, and Off for the rest.'}
                  deadband: {type: number, minimum: 0, description: A number is kept once it is further than this from the last one kept. Absent is the larger of what writing tolerates and 1 % of that one.}
              write:
                type: object
                description: How a desired value is written.
                properties:
                  tolerance: {type: number, minimum: 0, description: How far the value read back may be from the desired one. Absent is 0.}
                  confirmWithin: {$use: period, description: How long the device has until the value read back must fit. Absent is 5s.}
                  retries: {type: integer, minimum: 0, maximum: 100, description: Tries before a desired value is Failed; 0 counts as 1. It is tried again with growing pauses even then. Absent is 3.}
                  onReconnect: {type: string, enum: [Reapply, ReapplyIfNewer, Hold], description: What becomes of the desired value when the device comes back. Absent is Reapply.}
                  onDrift: {type: string, enum: [Reapply, Hold], description: What becomes of it when the device's value changes by itself. Absent is Reapply.}
                  after:
                    type: array
                    maxItems: 64
                    x-kubernetes-list-type: set
                    items: {$use: name}
                    description: Properties whose desired values must be Confirmed before this one is written.
                  group: {$use: name, description: Properties of one group are written together or not at all.}
                  expireAfter: {$use: period, description: A desired value that is not confirmed within this span expires. Absent is never.}
      """#,
    status: #"""
      devices: {$use: nodeCount, description: How many Devices are served by the model.}
      """#)
}
