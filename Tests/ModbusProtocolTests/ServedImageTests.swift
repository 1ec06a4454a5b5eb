import DeviceKit
import Documents
import ModbusProtocol
import Testing
import YAML

/// What a server's addresses hold, and what comes of what is written to them.
@Suite struct ServedImageTests {
  private let board = PropertyBoard()

  private func image(_ text: String) throws -> ServedImage {
    ServedImage(try ServedMap(YAMLDocument.one(in: text), path: "p")) { board.point(of: $0) }
  }

  private func look(_ seconds: Int = 0) -> ServedImage.Look {
    ServedImage.Look(version: board.version, seconds: seconds) { [board] in board.states(of: $0) }
  }

  @Test func valuesStandInTheirEncodings() throws {
    board.set("power", .number(-1.5))
    board.set("setpoint", .number(21.37))
    board.set("label", .string("AB"))
    board.set("alarms", .object(["low", "late"]), items: .string)
    board.set("mode", .string("Auto"))
    board.set("counts", .object([1, 2, 3]), items: .integer)
    board.set("energy", .unsigned(UInt64.max - 1))
    var image = try image(
      """
      map:
      - {device: meter-1, property: power, table: input, address: 0, encoding: float32, order: CDAB}
      - {device: meter-1, property: setpoint, table: input, address: 2, encoding: int16, scale: 0.1}
      - {device: meter-1, property: label, table: input, address: 3, encoding: string, registers: 2}
      - device: meter-1
        property: alarms
        table: input
        address: 5
        flags: [{bit: 0, name: high}, {bit: 1, name: low}, {bit: 15, name: late}]
      - {device: meter-1, property: mode, table: input, address: 6, states: [{raw: 0, text: "Off"}, {raw: 7, text: Auto}]}
      - {device: meter-1, property: counts, table: input, address: 7, count: 3}
      - {device: meter-1, property: energy, table: input, address: 10, encoding: uint64}
      """)
    let words = try image.read(.input, 0..<14, look())
    #expect(
      words == [
        0, 0xBFC0, 214, 0x4142, 0, 0x8002, 7, 1, 2, 3, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE,
      ])
    #expect(try image.read(.input, 1..<3, look()) == [0xBFC0, 214], "a part of a value may be read")
    #expect(throws: ModbusException.illegalDataAddress) { try image.read(.input, 13..<15, look()) }
    #expect(throws: ModbusException.illegalDataAddress) { try image.read(.holding, 0..<1, look()) }
  }

  @Test func nothingIsLookedAtAgainThatCannotHaveChanged() throws {
    board.set("a", .integer(1))
    board.set("b", .integer(2))
    var image = try image(
      """
      map:
      - {device: meter-1, property: a, table: holding, address: 0}
      - {device: meter-1, property: b, table: holding, address: 1}
      """)
    #expect(try image.read(.holding, 0..<2, look()) == [1, 2])
    let looks = board.looks
    #expect(try image.read(.holding, 0..<2, look()) == [1, 2])
    #expect(board.looks == looks)
    board.set("b", .integer(3))
    #expect(try image.read(.holding, 1..<2, look()) == [3])
    #expect(board.looks == looks + 1)
    #expect(try image.read(.holding, 0..<2, look()) == [1, 3])
  }

  @Test func valuesWithoutGoodQualityGetWhatWasChosen() throws {
    var image = try image(
      """
      map:
      - {device: meter-1, property: a, table: input, address: 0}
      - {device: meter-1, property: b, table: input, address: 1, encoding: int32, onBad: Sentinel}
      - {device: meter-1, property: c, table: input, address: 3, encoding: float32, onBad: Sentinel}
      - {device: meter-1, property: d, table: input, address: 5, onBad: Last}
      - {device: meter-1, property: e, table: input, address: 6, onBad: Sentinel, notAvailable: ["0xFFFE"]}
      - {device: meter-1, property: f, table: input, address: 7, encoding: string, registers: 1, onBad: Sentinel}
      """)
    let names = ["a", "b", "c", "d", "e"]
    for name in names { board.set(name, .integer(5)) }
    board.set("f", .string("x"))
    #expect(try image.read(.input, 0..<8, look()) == [5, 0, 5, 0x40A0, 0, 5, 5, 0x7800])
    for name in names { board.set(name, .integer(5), .uncertain) }
    board.set("f", nil, .bad, type: .string)
    #expect(throws: ModbusException.serverDeviceFailure) { try image.read(.input, 0..<8, look()) }
    #expect(try image.read(.input, 1..<8, look()) == [0x8000, 0, 0x7FC0, 0, 5, 0xFFFE, 0])
    #expect(image.faults(limit: 1) == ["p.map[0]: so it is"] && image.faultCount == 6)
    board.remove("d")
    #expect(try image.read(.input, 5..<6, look()) == [5], "its last value is still what it last was")
    // A good value that reads as the sentinel would be taken for none.
    board.set("e", .integer(0xFFFE))
    #expect(try image.read(.input, 6..<7, look()) == [0xFFFE])
    #expect(image.faults(limit: 9).contains { $0.hasPrefix("p.map[4]: 65534 would be written as 0xFFFE") })
  }

  @Test func whatDoesNotFitIsNoValue() throws {
    var image = try image("map: [{device: meter-1, property: a, table: input, address: 0, onBad: Last}]")
    board.set("a", .integer(70_000))
    #expect(throws: ModbusException.serverDeviceFailure) { try image.read(.input, 0..<1, look()) }
    #expect(image.faults(limit: 1) == ["p.map[0]: 70000 does not fit uint16 (0 to 65535)"])
    board.set("a", .string("text"))
    #expect(throws: ModbusException.serverDeviceFailure) { try image.read(.input, 0..<1, look()) }
    #expect(image.faults(limit: 1)[0].hasPrefix("p.map[0].encoding: uint16 does not give a property of type string"))
    board.set("a", .integer(7))
    #expect(try image.read(.input, 0..<1, look()) == [7])
  }

  @Test func qualityAndHeartbeatStandBesideTheValues() throws {
    var image = try image(
      """
      gaps: Zero
      heartbeat: {table: input, address: 100}
      quality: {table: holding, address: 50}
      map:
      \((0..<17).map { "- {device: meter-1, property: p\($0), table: holding, address: \($0 * 2)}" }.joined(separator: "\n"))
      """)
    for index in [0, 3, 16] { board.set("p\(index)", .integer(9)) }
    board.set("p4", .integer(9), .bad)
    #expect(try image.read(.holding, 50..<52, look()) == [0b1001, 1])
    #expect(try image.read(.input, 100..<101, look(65_537)) == [1])
    #expect(try image.read(.holding, 0..<2, look()) == [9, 0], "a gap reads as 0")
    #expect(throws: ModbusException.illegalDataAddress) { try image.read(.holding, 1..<2, look()) }
  }

  private let writable = """
    map:
    - {device: meter-1, property: setpoint, access: ReadWrite, table: holding, address: 0, encoding: int16, scale: 0.1}
    - {device: meter-1, property: limit, access: ReadWrite, table: holding, address: 1, encoding: float32}
    - {device: meter-1, property: mode, access: ReadWrite, table: holding, address: 3, states: [{raw: 0, text: "Off"}, {raw: 7, text: Auto}]}
    - {device: meter-1, property: run, access: ReadWrite, table: holding, address: 4, bit: 0}
    - {device: meter-1, property: level, access: ReadWrite, table: holding, address: 4, bits: {from: 4, count: 4}}
    - {device: meter-1, property: ready, table: holding, address: 4, bit: 15}
    - {device: meter-1, property: power, table: holding, address: 5}
    - {device: meter-1, property: pump, access: ReadWrite, table: coil, address: 0}
    - {device: meter-1, property: valves, access: ReadWrite, table: coil, address: 1, count: 3}
    - {device: meter-1, property: door, table: discrete, address: 0}
    """

  private func seedWritable() {
    board.set("setpoint", .number(20))
    board.set("limit", .number(1))
    board.set("mode", .string("Off"))
    board.set("run", .boolean(false))
    board.set("level", .integer(3))
    board.set("ready", .boolean(true))
    board.set("power", .integer(5))
    board.set("pump", .boolean(false))
    board.set("valves", .object([false, false, false]), items: .boolean)
    board.set("door", .boolean(true))
  }

  private func wishes(
    _ image: inout ServedImage, _ write: ServedWrite
  ) throws -> [String: Value] {
    Dictionary(
      try image.wishes(for: write, look()).map { ($0.name.property, $0.value) }, uniquingKeysWith: { $1 })
  }

  @Test func writtenWordsBecomeWishes() throws {
    seedWritable()
    var image = try image(writable)
    #expect(
      try wishes(&image, ServedWrite(.holding, 0, [0xFFFB, 0x4020, 0, 7])) == [
        "setpoint": .number(-0.5), "limit": .number(2.5), "mode": .string("Auto"),
      ])
    #expect(try wishes(&image, ServedWrite(.holding, 4, [0x8051])) == ["run": .boolean(true), "level": .integer(5)])
    #expect(
      try wishes(&image, ServedWrite(.coil, 0, [1, 1, 0, 1])) == [
        "pump": .boolean(true), "valves": .object([true, false, true]),
      ])
  }

  @Test func bitsThatAreNotWrittenStayAsTheyAreOrAsTheyAreWished() throws {
    seedWritable()
    var image = try image(writable)
    func mask(_ words: UInt16, _ mask: UInt16) throws -> [String: Value] {
      try wishes(&image, ServedWrite(.holding, 4, [words], masks: [mask]))
    }
    #expect(try mask(1, 1) == ["run": .boolean(true)])
    #expect(try mask(0x40, 0x40) == ["level": .integer(7)])
    board.set("level", .integer(3), wished: .integer(8))
    #expect(try mask(0x10, 0x10) == ["level": .integer(9)])
    board.set("level", .integer(3), .uncertain)
    #expect(throws: ModbusException.serverDeviceFailure) { try mask(0x10, 0x10) }
    #expect(try mask(0x20, 0xF0) == ["level": .integer(2)], "what is written whole needs no base")
  }

  @Test func whatCannotBeWrittenIsRefusedAsTheSpecificationSays() throws {
    seedWritable()
    var image = try image(writable)
    func refusal(_ write: ServedWrite) -> ModbusException? {
      do {
        _ = try image.wishes(for: write, look())
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal(ServedWrite(.discrete, 0, [1])) == .illegalFunction)
    #expect(refusal(ServedWrite(.holding, 5, [1])) == .illegalDataAddress, "read only")
    #expect(refusal(ServedWrite(.holding, 3, [7, 0x8000, 1])) == .illegalDataAddress, "read only beside others")
    #expect(refusal(ServedWrite(.holding, 1, [0x4020])) == .illegalDataAddress, "half a value")
    #expect(refusal(ServedWrite(.holding, 6, [1])) == .illegalDataAddress, "nothing lies there")
    #expect(refusal(ServedWrite(.holding, 3, [5])) == .illegalDataValue, "no state")
    #expect(refusal(ServedWrite(.holding, 4, [0x0001])) == .illegalDataAddress, "a bit that is read only changes")
    #expect(refusal(ServedWrite(.holding, 4, [0x8002])) == .illegalDataValue, "a bit that nothing has")
    #expect(refusal(ServedWrite(.holding, 1, [0x7FC0, 0])) == .illegalDataValue, "NaN")
    board.remove("mode")
    #expect(refusal(ServedWrite(.holding, 3, [7])) == .serverDeviceFailure, "nobody has the property")
    var readOnly = try self.image("map: [{device: meter-1, property: power, table: holding, address: 0}]")
    #expect(throws: ModbusException.illegalFunction) {
      try readOnly.wishes(for: ServedWrite(.holding, 0, [1]), look())
    }
  }
}
