import Controllers
import DeviceKit
import Documents
import Testing

@Suite struct DeviceResolverTests {
  private let resolver = DeviceResolver(nodeName: "gw-1", protocolNames: ["modbus", "mqtt"], isReadOnly: false)
  private let models: [String: JSONValue] = [
    "boiler": [
      "metadata": ["name": "boiler"],
      "spec": [
        "protocol": "modbus",
        "properties": [
          [
            "name": "setpoint", "type": "number", "access": "ReadWrite", "poll": ["every": "1s"],
            "modbus": ["address": 40],
          ]
        ],
      ],
    ],
    "circle": [
      "metadata": ["name": "circle"],
      "spec": [
        "protocol": "modbus",
        "properties": [
          ["name": "a", "type": "number", "access": "ReadWrite", "write": ["after": ["b"]]],
          ["name": "b", "type": "number", "access": "ReadWrite", "write": ["after": ["a"]]],
        ],
      ],
    ],
    "meter": [
      "metadata": ["name": "meter"],
      "spec": [
        "protocol": "modbus", "match": [["vendorName": "Eastron*", "productCode": "SDM630*"]], "properties": [],
      ],
    ],
  ]
  private let device: JSONValue = [
    "metadata": ["name": "boiler-1"],
    "spec": ["modelRef": ["name": "boiler"], "connection": ["modbus": ["unitID": 1]], "writes": "Enabled"],
  ]

  private func reason(_ changes: JSONValue, models: [String: JSONValue]? = nil) -> String {
    switch resolver.resolve(device.merging(changes), models: models ?? self.models) {
    case .serve(let plan): "serve \(plan.model.name)"
    case .waiting(let reason, _), .faulty(let reason, _): reason
    case .elsewhere: "elsewhere"
    }
  }

  @Test(
    arguments: [
      ("a device of its own", JSONValue.object([:]), "serve boiler"),
      ("another gateway's", ["spec": ["nodeName": "gw-2"]], "elsewhere"),
      ("not admitted", ["spec": ["admitted": false]], "AwaitingAdmission"),
      ("without a connection", ["spec": ["connection": nil]], "NoConnection"),
      ("with two connections", ["spec": ["connection": ["mqtt": ["base": "x"]]]], "SeveralConnections"),
      ("of an unknown protocol", ["spec": ["connection": ["modbus": nil, "opcua": [:]]]], "UnknownProtocol"),
      ("of a model whose writes wait in a circle", ["spec": ["modelRef": ["name": "circle"]]], "DependencyCycle"),
      ("of a model that is not there yet", ["spec": ["modelRef": ["name": "later"]]], "ModelNotFound"),
      ("of a model of another protocol", ["spec": ["connection": ["modbus": nil, "mqtt": [:]]]], "ProtocolMismatch"),
      ("without a model", ["spec": ["modelRef": nil]], "NoModel"),
      (
        "known by its identity",
        [
          "spec": ["modelRef": nil],
          "status": ["identity": ["vendorName": "Eastron Europe", "productCode": "SDM630-V2"]],
        ],
        "serve meter"
      ),
      (
        "known by half an identity", ["spec": ["modelRef": nil], "status": ["identity": ["vendorName": "Eastron"]]],
        "NoModel"
      ),
      (
        "with discovery's fallback",
        ["spec": ["modelRef": nil], "metadata": ["annotations": [DeviceResolver.fallbackModelAnnotation: "boiler"]]],
        "serve boiler"
      ),
    ] as [(String, JSONValue, String)]) func aDevice(_ name: String, _ changes: JSONValue, _ expected: String)
  {
    #expect(reason(changes) == expected, "\(name)")
  }

  @Test func writesNeedTheDeviceAndTheGatewayToAllowThem() {
    func writes(_ resolver: DeviceResolver, _ value: JSONValue) -> Bool? {
      guard case .serve(let plan) = resolver.resolve(device.merging(["spec": ["writes": value]]), models: models) else {
        return nil
      }
      return plan.writesEnabled
    }
    #expect(writes(resolver, "Enabled") == true)
    #expect(writes(resolver, "Disabled") == false)
    let readOnly = DeviceResolver(nodeName: "gw-1", protocolNames: ["modbus"], isReadOnly: true)
    #expect(writes(readOnly, "Enabled") == false)
  }
}
