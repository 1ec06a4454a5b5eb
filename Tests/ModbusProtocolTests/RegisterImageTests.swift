import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import TestSupport
import Testing
import YAML

/// The register images of Fixtures/modbus mean what their files say, by the models that they name.
@Suite struct RegisterImageTests {
  private func model(_ name: String) throws -> JSONValue {
    let places = ["device-models/\(name).yaml", "Examples/contract/01-models.yaml"].map { packageRoot + "/" + $0 }
    for place in places where FileManager.default.fileExists(atPath: place) {
      let documents = try YAMLDocument.all(in: String(contentsOfFile: place, encoding: .utf8))
      if let found = documents.first(where: { $0[path: "metadata", "name"]?.string == name }) { return found }
    }
    throw TestTrouble("no model \(name)")
  }

  /// The values of a table from `start` on; nil where the image has a hole.
  private func registers(_ image: JSONValue, _ table: RegisterTable, _ start: Int, _ count: Int) -> [UInt16]? {
    let names: [RegisterTable: String] = [.holding: "holding", .input: "input", .coil: "coils", .discrete: "discrete"]
    for (first, values) in image[names[table] ?? ""]?.object ?? [:] {
      guard let first = Int(first), let values = values.array, start >= first, start + count <= first + values.count
      else {
        continue
      }
      return values[start - first..<start - first + count].map { $0.bool.map { $0 ? 1 : 0 } ?? UInt16($0.int ?? 0) }
    }
    return nil
  }

  @Test(arguments: ["boiler", "sdm630", "sunspec-inverter-103", "sunspec-inverter-113"])
  func anImageReadsAsItsFileSays(file: String) throws {
    let image = try JSONValue(
      parsing: Array(Data(contentsOf: URL(filePath: packageRoot + "/Fixtures/modbus/\(file).json"))))
    let properties = try model(image["model"]?.string ?? "")[path: "spec", "properties"]?.array ?? []
    let expected = try #require(image["expected"]?.object)
    var compared = 0
    for fields in properties {
      guard let name = fields["name"]?.string, let value = expected[name] else { continue }
      let type = try #require(fields["type"]?.string.flatMap(PropertyType.init(rawValue:)))
      let definition = property(name, type, fields["modbus"] ?? .null)
      let binding = try PropertyBinding(definition)
      let words = try #require(registers(image, binding.table, binding.readAddress, binding.length), "\(name)")
      switch binding.codec.decode(words[...]) {
      case .value(let read): #expect(read == Value(value, for: definition), "\(name)")
      case let other: #expect(value.isNull, "\(name): \(other)")
      }
      compared += 1
    }
    #expect(compared == expected.count)
  }
}
