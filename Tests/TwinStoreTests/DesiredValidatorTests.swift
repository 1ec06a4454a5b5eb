import DeviceKit
import Documents
import Testing
import TwinStore

@Suite struct DesiredValidatorTests {
  static let setpoint = PropertyDefinition(
    name: "setpoint", type: .number, unit: "degC", access: .readWrite, minimum: 20, maximum: 60)
  static let period = PropertyDefinition(
    name: "period", type: .integer, access: .readWrite, allowed: [0, 5, 8])
  static let counter = PropertyDefinition(
    name: "counter", type: .integer, access: .readWrite, minimum: 0, maximum: 9_007_199_254_740_992)
  static let fixed = PropertyDefinition(name: "serial", type: .string)

  @Test(arguments: [
    (setpoint, JSONValue.double(60.5), "60.5 is above the maximum 60 degC"),
    (setpoint, 19, "19 is below the minimum 20 degC"),
    (setpoint, "warm", #""warm" is a string; setpoint takes a number"#),
    (setpoint, true, "true is a boolean; setpoint takes a number"),
    (setpoint, .null, "null is null; setpoint takes a number"),
    (period, 7, "7 is not one of 0, 5, 8"),
    (period, .double(5.5), "5.5 is a number; period takes an integer"),
    (counter, .integer(9_007_199_254_740_993), "9007199254740993 is above the maximum 9007199254740992.0"),
    (counter, .unsigned(.max), "18446744073709551615 is above the maximum 9007199254740992.0"),
    (fixed, "x", "serial is read-only"),
  ])
  func `What the model forbids is refused with the bound`(
    definition: PropertyDefinition, json: JSONValue, message: String
  ) throws {
    let error = #expect(throws: DesiredRejection.self) {
      try DesiredValidator().value(of: json, for: definition)
    }
    #expect(error?.message == message)
  }

  @Test(arguments: [
    (setpoint, JSONValue.integer(60), Value.number(60)), (setpoint, .double(20), .number(20)),
    (period, .double(5), .integer(5)), (period, "8", .integer(8)),
  ])
  func `What the model allows is typed`(definition: PropertyDefinition, json: JSONValue, value: Value) throws {
    #expect(try DesiredValidator().value(of: json, for: definition) == value)
  }

  @Test func `Write rules read the model's fragment and have the stated defaults`() throws {
    let defaults = try WriteRules(write: nil)
    #expect(defaults == WriteRules())
    #expect(defaults.confirmWithin == .seconds(5) && defaults.retries == 3 && defaults.onDrift == .reapply)
    let rules = try WriteRules(
      write: [
        "tolerance": 0.5, "confirmWithin": "2s", "retries": 1, "onReconnect": "ReapplyIfNewer", "onDrift": "Hold",
        "expireAfter": "1h",
      ])
    #expect(
      rules
        == WriteRules(
          tolerance: 0.5, confirmWithin: .seconds(2), retries: 1, onReconnect: .reapplyIfNewer, onDrift: .hold,
          expireAfter: .seconds(3600)))
  }

  static let wrongRules: [(fragment: JSONValue, field: String)] = [
    (["tolerance": -1], "write.tolerance"), (["retries": -1], "write.retries"),
    (["onDrift": "Fight"], "write.onDrift"), (["confirmWithin": "soon"], "write.confirmWithin"),
    (["confirm": "5s"], "write.confirm"), ("fast", "write"),
  ]

  @Test(arguments: wrongRules)
  func `Write rules name the field that is wrong`(fragment: JSONValue, field: String) {
    let error = #expect(throws: DeviceError.self) { try WriteRules(write: fragment) }
    #expect(error?.message.hasPrefix(field + " ") == true && error?.isPermanent == true)
  }

  @Test(arguments: [
    (Value.integer(9_007_199_254_740_993), Value.integer(9_007_199_254_740_992), false),
    (.unsigned(.max), .unsigned(.max - 1), false), (.number(0.1 + 0.2), .number(0.3), true),
    (.number(60.1), .number(Double(Float(60.1))), true), (.number(60), .integer(60), true),
    (.string("on"), .string("off"), false), (.boolean(true), .integer(1), false), (.number(0), .number(-0.0), true),
  ])
  func `Integers are compared exactly and numbers as a register can hold them`(
    desired: Value, reported: Value, holds: Bool
  ) {
    #expect(WriteRules().holds(desired, in: reported) == holds)
  }
}
