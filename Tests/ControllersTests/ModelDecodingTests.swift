import Controllers
import DeviceKit
import Documents
import Testing

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
}
