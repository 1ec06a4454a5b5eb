import DeviceKit
import Documents
import ModbusProtocol
import Testing

/// What a model's `modbus:` fragment may say, and what it may not.
@Suite struct BindingTests {
  private func binding(_ type: PropertyType, _ fields: JSONValue, _ access: PropertyDefinition.Access = .readWrite)
    throws
    -> PropertyBinding
  {
    try PropertyBinding(property("p", type, access, fields))
  }

  @Test(
    arguments: [
      (.number, ["table": "holding"], "address"), (.number, ["address": 1], "table"),
      (.number, ["table": "holding", "address": 65_536], "address"), (.number, ["register": 50_000], "register"),
      (.number, ["register": 40_041, "address": 40], "register"),
      (.number, ["table": "input", "register": 40_041], "register"),
      (.number, ["table": "holding", "address": 65_535, "encoding": "int32"], "address"),
      (.number, ["register": 40_001, "encoding": "int24"], "encoding"),
      (.number, ["register": 40_001, "scale": 0], "scale"), (.string, ["register": 40_001], "encoding"),
      (.string, ["register": 40_001, "encoding": "string"], "registers"),
      (.number, ["register": 40_001, "encoding": "int32", "registers": 1], "registers"),
      (.boolean, ["register": 40_001, "bit": 16], "bit"), (.boolean, ["register": 40_001, "encoding": "bit"], "bit"),
      (.boolean, ["register": 40_001, "encoding": "float32", "bit": 1], "bit"),
      (.boolean, ["register": 40_001, "encoding": "bcd16", "bit": 1], "bit"),
      (.boolean, ["register": 40_001, "bit": 1, "scale": 2], "scale"),
      (.number, ["register": 40_001, "bit": 1], "bit"),
      (.integer, ["register": 40_001, "bits": ["from": 12, "count": 5]], "bits"),
      (.integer, ["register": 40_001, "bits": ["from": 12]], "bits"),
      (.integer, ["register": 40_001, "bits": ["from": 1, "count": 2], "bit": 1], "bits"),
      (.integer, ["register": 40_001, "encoding": "int8", "bits": ["from": 1, "count": 2]], "bits"),
      (.integer, ["register": 40_001, "byte": "Low"], "byte"),
      (.integer, ["register": 40_001, "encoding": "uint8", "byte": "Middle"], "byte"),
      (.number, ["register": 40_001, "encoding": "float32", "fractionBits": 8], "fractionBits"),
      (.integer, ["register": 40_001, "fractionBits": 8], "fractionBits"),
      (.number, ["register": 40_001, "scaleFrom": ["register": 30_002]], "scaleFrom.register"),
      (.number, ["register": 40_001, "scaleFrom": [:]], "scaleFrom.address"),
      (.number, ["register": 40_001, "scaleFrom": ["register": 40_200]], "scaleFrom"),
      (.integer, ["register": 40_001, "scaleFrom": ["register": 40_002]], "scaleFrom"),
      (.number, ["register": 40_001, "encoding": "float32", "scaleFrom": ["register": 40_003]], "scaleFrom"),
      (.number, ["register": 40_001, "count": 2], "count"), (.array, ["register": 40_001], "count"),
      (.array, ["register": 40_001, "count": 126], "count"),
      (.array, ["register": 40_001, "encoding": "int8", "count": 2], "count"),
      (.array, ["register": 40_001, "encoding": "float64", "count": 31], "count"),
      (.object, ["register": 40_001], "encoding"),
      (.integer, ["register": 40_001, "notAvailable": [65_536]], "notAvailable[0]"),
      (.integer, ["register": 40_001, "notAvailable": ["SunSpec", "7FFF"]], "notAvailable[1]"),
      (.integer, ["register": 40_001, "encoding": "bcd16", "notAvailable": ["SunSpec"]], "notAvailable[0]"),
      (.integer, ["register": 40_001, "bits": ["from": 0, "count": 4], "notAvailable": [16]], "notAvailable[0]"),
      (.integer, ["register": 40_001, "states": [["raw": 0, "text": "a"]]], "states"),
      (.string, ["register": 40_001, "states": [["raw": 70_000, "text": "a"]]], "states[0].raw"),
      (
        .string, ["register": 40_001, "states": [["raw": 0, "text": "a"], ["raw": 0, "text": "b"]]], "states[1].raw"
      ),
      (
        .string, ["register": 40_001, "states": [["raw": 0, "text": "a"], ["raw": 1, "text": "a"]]], "states[1].text"
      ),
      (.string, ["register": 40_001, "scale": 2, "states": [["raw": 0, "text": "a"]]], "scale"),
      (.integer, ["register": 40_001, "flags": [["bit": 0, "name": "a"]]], "flags"),
      (.array, ["register": 40_001, "flags": [["bit": 16, "name": "a"]]], "flags[0].bit"),
      (.array, ["register": 40_001, "flags": [["bit": 1, "name": "a"], ["bit": 1, "name": "b"]]], "flags[1].bit"),
      (.array, ["register": 40_001, "flags": [["bit": 1, "name": "a"], ["bit": 2, "name": "a"]]], "flags[1].name"),
      (.array, ["register": 40_001, "count": 2, "flags": [["bit": 1, "name": "a"]]], "count"),
      (.number, ["register": 40_001, "text": ["padding": "Space"]], "text"),
      (
        .string, ["register": 40_001, "encoding": "string", "registers": 2, "text": ["padding": "Zero"]], "text.padding"
      ),
      (.boolean, ["register": 7, "encoding": "int16"], "encoding"), (.number, ["register": 7], "table"),
      (.boolean, ["register": 7, "notAvailable": [1]], "notAvailable"),
      (.array, ["table": "coil", "address": 0, "count": 1_969], "count"),
    ] as [(PropertyType, JSONValue, String)])
  func aFragmentThatCannotBeServedNamesItsField(type: PropertyType, fields: JSONValue, field: String) {
    let error = #expect(throws: DeviceError.self) { try binding(type, fields) }
    #expect(error?.message.hasPrefix("property 'p': modbus.\(field)") == true, "\(error?.message ?? "")")
    #expect(error?.reason == "InvalidBinding" && error?.isPermanent == true)
  }

  @Test(arguments: [
    (1, RegisterTable.coil, 0), (9_999, .coil, 9_998), (10_001, .discrete, 0), (30_011, .input, 10),
    (40_041, .holding, 40), (49_999, .holding, 9_998), (100_001, .discrete, 0), (365_536, .input, 65_535),
    (400_041, .holding, 40), (465_536, .holding, 65_535),
  ])
  func registersAreCountedAsManualsDo(register: Int, table: RegisterTable, address: UInt16) throws {
    let place = try #require(ModiconRegister(register))
    #expect(place.table == table && place.address == address)
    #expect(Int(ModiconRegister.text(table, Int(address))) == register || register >= 100_000 || register == 9_999)
  }

  @Test func aScaleFactorMayStandBeforeItsValue() throws {
    let one = try binding(
      .number, ["table": "holding", "address": 50, "encoding": "int32", "order": "CDAB", "scaleFrom": ["address": 40]])
    #expect(one.readAddress == 40 && one.length == 12)
    var registers = [UInt16](repeating: 9, count: 12)
    registers[0] = UInt16(bitPattern: -2)
    registers[10] = 0x86A1
    registers[11] = 1
    #expect(one.codec.decode(registers[...]) == .value(.number(1000.01)))
    registers[0] = 11
    #expect(one.codec.decode(registers[...]) == .bad(cause: "the scale factor 11 is outside -10 to 10"))
  }

  @Test func aValueThatMeansNoneIsNotWritten() throws {
    let one = try binding(
      .number, ["register": 40_001, "encoding": "int16", "scale": 0.1, "notAvailable": ["SunSpec"]])
    #expect(try one.codec.encode(.number(-3276.7)) == [0x8001])
    let error = #expect(throws: DeviceError.self) { try one.codec.encode(.number(-3276.8)) }
    #expect(error?.reason == "OutOfRange")
  }

  @Test func fieldsLeaveTheOtherBitsAlone() throws {
    let field = try binding(
      .integer, ["register": 40_010, "encoding": "int32", "order": "CDAB", "bits": ["from": 12, "count": 8]])
    #expect(
      try field.change(to: .integer(-2)) == .bits(address: 9, masks: [0xF000, 0x000F], bits: [0xE000, 0x000F]))
    let byte = try binding(.integer, ["register": 40_010, "encoding": "uint8", "byte": "High", "order": "BADC"])
    #expect(try byte.change(to: .integer(0x5A)) == .bits(address: 9, masks: [0x00FF], bits: [0x005A]))
    let flags = try binding(
      .array,
      [
        "register": 40_010, "encoding": "uint32", "order": "ABCD",
        "flags": [["bit": 31, "name": "stop"], ["bit": 17, "name": "fan"]],
      ])
    #expect(try flags.change(to: .object(["fan"])) == .bits(address: 9, masks: [0x8002], bits: [0x0002]))
    for wrong in [["horn"], [1], "fan"] as [JSONValue] {
      #expect(throws: DeviceError.self) { try flags.change(to: .object(wrong)) }
    }
  }

  @Test func boundsHoldForEachElementOfAnArray() throws {
    var definition = property("p", .array, .readWrite, ["register": 40_001, "count": 2, "encoding": "int16"])
    definition.minimum = 0
    let one = try PropertyBinding(definition)
    #expect(try one.change(to: .object([3, 4])) == .registers(address: 0, [3, 4]))
    for (wrong, reason) in [
      ([3, -4], "OutOfRange"), ([3], "InvalidValue"), ([3, "x"], "InvalidValue"), ([3, 40_000], "OutOfRange"),
    ]
      as [(JSONValue, String)]
    {
      let error = #expect(throws: DeviceError.self) { try one.change(to: .object(wrong)) }
      #expect(error?.reason == reason, "\(wrong)")
    }
    let coils = try binding(.array, ["table": "coil", "address": 7, "count": 3])
    #expect(try coils.change(to: .object([true, false, true])) == .coils(address: 7, [true, false, true]))
    #expect(coils.codec.decode([1, 0, 1]) == .value(.object([true, false, true])))
  }

  @Test func statesAreWrittenByTheirTexts() throws {
    let one = try binding(
      .string,
      ["register": 40_001, "encoding": "int16", "states": [["raw": -1, "text": "off"], ["raw": 2, "text": "auto"]]])
    #expect(try one.codec.encode(.string("off")) == [0xFFFF])
    let error = #expect(throws: DeviceError.self) { try one.codec.encode(.string("on")) }
    #expect(error?.message.contains("off, auto") == true)
  }

  @Test(
    arguments: [
      ["table": "input"], ["register": 20_001], ["table": "coil", "address": 1, "encoding": "int16"],
      ["table": "holding", "address": 1, "encoding": "string"],
      ["table": "holding", "address": 65_535, "encoding": "int32"],
      ["table": "holding", "register": 30_001], ["table": "holding", "address": 1, "scale": 0],
      ["table": "holding", "address": 1, "encoding": "float32", "bit": 1],
      ["table": "holding", "address": 1, "bit": 16],
      ["address": 7],
    ] as [JSONValue])
  func bindingsThatCannotBeAreRefusedByName(binding: JSONValue) {
    let request = sessionRequest([property("level", .integer, binding)], connection: tcp(502))
    let error = #expect(throws: DeviceError.self) { try ModbusPlugin().session(for: request, feed: CollectingFeed()) }
    #expect(error?.reason == "InvalidBinding" && error?.isPermanent == true)
    #expect(error?.message.hasPrefix("property 'level': modbus.") == true)
  }

  @Test(
    arguments: [
      (1, RegisterTable.coil, 0), (9_999, .coil, 9_998), (10_001, .discrete, 0), (30_001, .input, 0),
      (40_041, .holding, 40),
      (49_999, .holding, 9_998), (400_041, .holding, 40), (465_536, .holding, 65_535), (365_536, .input, 65_535),
    ] as [(Int, RegisterTable, UInt16)])
  func modiconNumbersAreUnderstood(number: Int, table: RegisterTable, address: UInt16) {
    #expect(ModiconRegister(number)?.table == table)
    #expect(ModiconRegister(number)?.address == address)
  }

  @Test(arguments: [0, 10_000, 20_000, 40_000, 50_000, 100_000, 465_537]) func otherNumbersAreNoRegisters(number: Int) {
    #expect(ModiconRegister(number) == nil)
  }
}
