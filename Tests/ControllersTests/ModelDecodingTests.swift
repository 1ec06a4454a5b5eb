import Controllers
import DeviceKit
import Documents
import Testing
import TwinStore

@Suite struct ModelDecodingTests {
  @Test func `How often a value is kept comes from the property, else from the model, else from the gateway`() throws {
    let properties: JSONValue = [
      ["name": "a", "type": "number"], ["name": "b", "type": "number", "persist": ["every": "0s"]],
      ["name": "c", "type": "number", "persist": [:]],
    ]
    func intervals(_ persist: JSONValue?) throws -> [Duration?] {
      var spec: JSONValue = ["protocol": "modbus", "properties": properties]
      if let persist { spec["persist"] = persist }
      let model = try #require(DecodedModel(["metadata": ["name": "m"], "spec": spec]))
      return model.properties.map(\.definition.persistEvery)
    }
    #expect(try intervals(["every": "5m"]) == [.seconds(300), .zero, .seconds(300)])
    #expect(try intervals(nil) == [nil, .zero, nil])
  }

  @Test(arguments: [
    (["scale": 0.1], 0.1), (["fractionBits": 8], 1.0 / 256), (["fractionBits": 4, "scale": 10], 0.625), ([:], 0),
  ] as [(JSONValue, Double)])
  func `A register's step is that of its scale and of its fixed point`(binding: JSONValue, step: Double) throws {
    let spec: JSONValue = ["protocol": "modbus", "properties": [["name": "a", "type": "number", "modbus": binding]]]
    let model = try #require(DecodedModel(["metadata": ["name": "m"], "spec": spec]))
    #expect(try model.ruledProperties().map(\.1.resolution) == [step])
  }
}
