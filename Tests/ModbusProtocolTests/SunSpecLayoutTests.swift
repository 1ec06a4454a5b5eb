import DeviceKit
import Documents
import ModbusProtocol
import Testing

@Suite struct SunSpecLayoutTests {
  private func layout(_ models: [(id: UInt16, body: [UInt16])]) throws -> SunSpecLayout {
    SunSpecLayout(try #require(SunSpecImage(models: models).walk().chain))
  }

  @Test func anInvertersPointsLieAsTheStandardSays() throws {
    let layout = try layout([(1, SunSpecImage.common("M", "D", "1", "S")), (103, [UInt16](repeating: 0, count: 50))])
    let places = Dictionary(uniqueKeysWithValues: layout.places.map { ($0.name, $0) })
    #expect(places["common-sn"]?.address == 40_052 && places["common-sn"]?.period == "1h")
    #expect(places["inverter-w"]?.address == 40_084)
    #expect(places["inverter-w"]?.scale == .register(40_085))
    #expect(places["inverter-wh"]?.address == 40_094 && places["inverter-st"]?.address == 40_108)
    #expect(places["inverter-w-sf"] == nil, "a scale factor is no value of the device")
    #expect(layout.notes.isEmpty)
  }

  @Test func floatAndIntegerModelsHaveTheSameNames() throws {
    let whole = try layout([(103, [UInt16](repeating: 0, count: 50))]).places.map(\.name)
    let float = try layout([(113, [UInt16](repeating: 0, count: 60))]).places.map(\.name)
    #expect(Set(float) == Set(whole))
  }

  @Test func repeatingGroupsAreNumberedByTheLength() throws {
    // Eight registers, and twenty for each module.
    let layout = try layout([(160, [UInt16](repeating: 0, count: 8 + 3 * 20))])
    let names = layout.places.map(\.name)
    #expect(names.filter { $0.hasSuffix("-dcw") } == (1...3).map { "mppt-module-\($0)-dcw" })
    #expect(layout.places.first { $0.name == "mppt-module-2-dcw" }?.scale == .register(40_006))
  }

  @Test func countedGroupsAreNumberedByTheirPoints() throws {
    // DER Volt-Var: 2 curves of 4 points.
    var body = [UInt16](repeating: 0, count: 13 + 2 * (10 + 4 * 2))
    (body[3], body[4]) = (4, 2)
    let layout = try layout([(705, body)])
    let places = layout.places.filter { $0.name.contains("-pt-") }
    #expect(places.count == 16 && places.last?.name == "der-volt-var-crv-2-pt-4-var")
    #expect(Set(places.map(\.address)).count == 16)
  }

  @Test func aCountThatTheLengthDoesNotBearIsCutToIt() throws {
    var body = [UInt16](repeating: 0, count: 30)
    (body[3], body[4]) = (0xFFFE, 0xFFFE)
    #expect(try layout([(705, body)]).places.allSatisfy { Int($0.address) + $0.point.registers <= 40_034 })
  }

  @Test func aScaleFactorTooFarAwayIsReadOnce() throws {
    // A lithium string of 12 modules: the last lie more than a read away from the scale factors.
    let registers = try #require(SunSpecTable.definition(of: 804)?.body)
    var body = [UInt16](
      repeating: 0, count: registers.pointRegisters + 12 * (registers.groups.first?.pointRegisters ?? 0))
    var offset = 0
    for point in registers.points {
      if point.name == "NMod" { body[offset] = 12 }
      if point.name == "ModV_SF" || point.name == "CellV_SF" { body[offset] = UInt16(bitPattern: -3) }
      offset += point.registers
    }
    let layout = try layout([(804, body)])
    let near = layout.places.filter { if case .register = $0.scale { true } else { false } }
    let far = layout.places.filter { if case .power = $0.scale { true } else { false } }
    #expect(!near.isEmpty && !far.isEmpty && layout.notes.isEmpty)
    #expect(far.contains { $0.scale == .power(-3) })
  }

  @Test func aSecondModelOfAKindIsNumbered() throws {
    let meter = [UInt16](repeating: 0, count: 105)
    let common = SunSpecImage.common("M", "D", "1", "S")
    let names = try layout([(1, common), (203, meter), (1, common), (203, meter)]).places.map(\.name)
    #expect(names.contains("meter-w") && names.contains("meter-2-w") && names.contains("common-2-sn"))
  }

  @Test func whatIsNotServedIsSaid() throws {
    let layout = try layout([(64_001, [1, 2, 3]), (103, [UInt16](repeating: 0, count: 20))])
    #expect(layout.notes.contains("models not served: 64001"))
    #expect(layout.places.allSatisfy { Int($0.address) < 40_029 }, "a model that is too short ends where it ends")
  }

  @Test func equalLayoutsHaveEqualModels() throws {
    func model(_ serial: String, _ watts: UInt16) throws -> DiscoveredModel {
      DiscoveredModel(
        try layout([
          (1, SunSpecImage.common("M", "D", "1", serial)), (103, [UInt16](repeating: watts, count: 50)),
        ]))
    }
    let first = try model("A", 1)
    #expect(try model("B", 2) == first)
    #expect(first.nameHint == "sunspec-103" && first.fingerprint.count == 16)
    let other = DiscoveredModel(try layout([(103, [UInt16](repeating: 0, count: 50))]))
    #expect(other != first)
  }

  @Test func aPropertySaysAllThatItsPointIs() throws {
    let layout = try layout([(103, [UInt16](repeating: 0, count: 50)), (123, [UInt16](repeating: 0, count: 24))])
    let list = try #require(DiscoveredModel(layout).specification["properties"]?.array)
    let properties = Dictionary(
      uniqueKeysWithValues: list.compactMap { entry in entry["name"]?.string.map { ($0, entry) } })
    #expect(
      properties["inverter-w"] == [
        "name": "inverter-w", "description": "SunSpec 103 W", "type": "number", "unit": "W", "access": "Read",
        "summary": true, "poll": ["every": "10s"],
        "modbus": [
          "table": "holding", "address": 40_016, "encoding": "int16", "scaleFrom": ["address": 40_017],
          "notAvailable": ["SunSpec"],
        ],
      ])
    #expect(properties["inverter-wh"]?[path: "modbus", "notAvailable"] == [0], "an accumulator's code is 0")
    #expect(properties["inverter-st"]?["type"] == "string")
    #expect(properties["inverter-st"]?[path: "modbus", "states"]?.array?[3] == ["raw": 4, "text": "mppt"])
    #expect(properties["inverter-evt1"]?["type"] == "array" && properties["inverter-evt1"]?["items"] == "string")
    #expect(properties["controls-wmaxlimpct"]?["access"] == "ReadWrite")
  }
}
