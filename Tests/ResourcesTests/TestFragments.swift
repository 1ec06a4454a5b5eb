import Documents
import Resources

/// Protocol and sink fragments that cover the contract's manifests, standing in for the real folders' own.
enum TestFragments {
  static let protocols: [(name: String, connection: String, property: String, discovery: String?)] = [
    ("modbus", modbusConnection, modbusProperty, modbusDiscovery),
    ("mqtt", mqttConnection, mqttProperty, mqttDiscovery),
    ("udev", udevConnection, udevProperty, udevDiscovery),
  ]
  static let sinks: [(name: String, schema: String)] = [("mqtt", mqttSink), ("file", fileSink)]

  static func crds() throws -> [JSONValue] {
    try CRDComposer.customResourceDefinitions(protocols: protocols, sinks: sinks)
  }

  static func definitions() throws -> [ResourceDefinition] { try crds().compactMap { ResourceDefinition(crd: $0) } }

  static func definition(_ kind: String) throws -> ResourceDefinition {
    guard let found = try definitions().first(where: { $0.kind == kind }) else {
      throw SchemaError(path: kind, message: "no such kind")
    }
    return found
  }

  static let modbusConnection = #"""
    type: object
    required: [unitID]
    oneOf:
    - required: [tcp]
    - required: [serial]
    properties:
      tcp:
        type: object
        required: [host]
        properties:
          host: {type: string, minLength: 1, maxLength: 253}
          port: {type: integer, minimum: 1, maximum: 65535, default: 502}
          framing: {type: string, enum: [TCP, RTU], default: TCP}
      serial:
        type: object
        required: [path]
        properties:
          path: {type: string, pattern: "^/dev/"}
          baudRate: {type: integer, minimum: 300, maximum: 921600, default: 9600}
          parity: {type: string, enum: [None, Even, Odd], default: None}
          stopBits: {type: integer, enum: [1, 2], default: 1}
      unitID: {type: integer, minimum: 0, maximum: 255}
      timeout: {type: string, pattern: "^([0-9]{1,5}(h|m|s|ms)){1,4}$", default: 1s}
    """#
  static let modbusProperty = #"""
    type: object
    properties:
      table: {type: string, enum: [coil, discrete, input, holding]}
      address: {type: integer, minimum: 0, maximum: 65535}
      encoding: {type: string, enum: [bit, int16, uint16, int32, uint32, float32, float64, string]}
      order: {type: string, enum: [ABCD, BADC, CDAB, DCBA]}
      scale: {type: number}
      bit: {type: integer, minimum: 0, maximum: 15}
      registers: {type: integer, minimum: 1, maximum: 125}
    """#
  static let modbusDiscovery = #"""
    type: object
    properties:
      tcp:
        type: object
        required: [targets]
        properties:
          targets: {type: array, minItems: 1, maxItems: 256, items: {type: string, maxLength: 64}}
          ports: {type: array, items: {type: integer, minimum: 1, maximum: 65535}}
          unitIDs: {type: array, items: {x-kubernetes-int-or-string: true}}
          probesPerSecond: {type: integer, minimum: 1, maximum: 1000, default: 10}
          timeout: {type: string, default: 1s}
      serial:
        type: object
        properties:
          discoveryRef: {type: object, properties: {name: {type: string}}}
          allowActiveScan: {type: boolean, default: false}
          baudRates: {type: array, items: {type: integer}}
          parities: {type: array, items: {type: string, enum: [None, Even, Odd]}}
          unitIDs: {type: array, items: {x-kubernetes-int-or-string: true}}
    """#
  static let mqttConnection = #"""
    type: object
    required: [brokerRef]
    properties:
      brokerRef: {$use: nameReference}
      base: {type: string, maxLength: 1024}
    """#
  static let mqttProperty = #"""
    type: object
    required: [topic]
    properties:
      topic: {type: string, minLength: 1}
      path: {type: string}
      setTopic: {type: string}
      setPayload: {type: string}
    """#
  static let mqttDiscovery = #"""
    type: object
    required: [brokerRef]
    properties:
      brokerRef: {$use: nameReference}
      conventions: {type: array, items: {type: string, enum: [homie, homeassistant, zigbee2mqtt, tasmota, sparkplugb]}}
      topics:
        type: array
        items:
          type: object
          required: [pattern]
          properties:
            pattern: {type: string}
            name: {type: string}
            modelRef: {$use: nameReference}
    """#
  static let udevConnection = "{type: object, properties: {path: {type: string}}}"
  static let udevProperty = "{type: object, properties: {attribute: {type: string}}}"
  static let udevDiscovery = #"""
    type: object
    required: [rules]
    properties:
      rules: {type: array, minItems: 1, items: {type: string}}
      groupRecursive: {type: boolean, default: false}
    """#
  static let mqttSink = #"""
    type: object
    required: [brokerRef, topic]
    properties:
      brokerRef: {$use: nameReference}
      topic: {type: string, minLength: 1}
      qos: {type: integer, minimum: 0, maximum: 2, default: 1}
    """#
  static let fileSink = #"""
    type: object
    required: [path]
    properties:
      path: {type: string, minLength: 1}
      format: {type: string, enum: [ndjson, csv], default: ndjson}
    """#
}
