import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import TestSupport
import Testing
import YAML

/// docs/MODBUS-SERVER.md says what is so.
@Suite struct ServerPageTests {
  private func example() throws -> JSONValue {
    let text = try String(contentsOfFile: packageRoot + "/docs/MODBUS-SERVER.md", encoding: .utf8)
    guard let block = text.components(separatedBy: "```yaml\n").dropFirst().first?.components(separatedBy: "```").first,
      let server = try YAMLDocument.one(in: block)[path: "spec", "servers"]?.array?.first?["modbus"]
    else { throw TestTrouble("the page has no example") }
    return server
  }

  @Test func theExampleIsServedAsThePageSays() throws {
    let specification = try example()
    let settings = try ServerSettings(specification, path: "p")
    #expect(settings.allows([10, 1, 0, 7]) && settings.allows([10, 2, 0, 200]) && !settings.allows([10, 1, 0, 8]))
    #expect(settings.answers(1) && settings.answers(255) && !settings.answers(2))
    let board = PropertyBoard()
    let meter = DeviceKey(namespace: "line-2", name: "meter-1")
    let boiler = DeviceKey(namespace: "default", name: "boiler-1")
    let values: [PointID: PropertyState] = Dictionary(
      uniqueKeysWithValues: [
        (boiler, "flow-temperature", .number(42.5), PropertyType.number, Quality.good),
        (boiler, "setpoint", .number(21.5), .number, .good), (boiler, "pump", .boolean(true), .boolean, .good),
        (meter, "energy", .integer(0x1_0002), .integer, .uncertain), (meter, "power", .integer(9), .integer, .bad),
        (meter, "alarms", .object(["phase-loss"]), .array, .good),
      ].map { (device: DeviceKey, name: String, value: Value, type: PropertyType, quality: Quality) in
        let time = Timestamp(nanoseconds: 1)
        return (
          board.point(of: PointName(device: device, property: name)),
          PropertyState(
            type: type, reading: Reading(value, quality: quality, sourceTime: time, gatewayTime: time))
        )
      })
    var image = ServedImage(try ServedMap(specification, path: "p")) { board.point(of: $0) }
    let look = ServedImage.Look(version: 1, seconds: 77) { $0.map { values[$0] } }
    #expect(try image.read(.input, 0..<9, look) == [0x422A, 0, 2, 1, 0, 0, 0x8000, 0, 8])
    #expect(try image.read(.holding, 0..<1, look) == [215])
    #expect(try image.read(.coil, 0..<1, look) == [1])
    #expect(try image.read(.discrete, 0..<6, look) == [1, 1, 1, 0, 0, 1])
    #expect(try image.read(.input, 100..<101, look) == [77])
    let wishes = try image.wishes(for: ServedWrite(.holding, 0, [333]), look)
    #expect(wishes == [PropertyWish(name: PointName(device: boiler, property: "setpoint"), value: .number(33.3))])
  }
}
