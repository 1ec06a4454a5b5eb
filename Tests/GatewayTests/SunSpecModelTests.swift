import DeviceKit
import Documents
import Gateway
import ModbusProtocol
import Resources
import Testing

@Suite struct SunSpecModelTests {
  /// What discovery makes of each model is a DeviceModel as the CRD has it.
  @Test(arguments: SunSpecTable.ids) func theModelByStandardIsValid(id: UInt16) throws {
    let body = try #require(SunSpecTable.definition(of: id)).body
    let groups = body.groups.reduce(0) { $0 + $1.pointRegisters }
    var chain = SunSpecChain(base: 40_000)
    // Two of each group, whether counted or to the end.
    chain.models = [
      .init(
        id: id, address: 40_004, length: UInt16(body.pointRegisters + 2 * groups),
        head: [UInt16](repeating: 1, count: body.pointRegisters))
    ]
    let made = DiscoveredModel(SunSpecLayout(chain))
    let object: JSONValue = [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "DeviceModel", "metadata": ["name": "sunspec"],
      "spec": made.specification,
    ]
    #expect(made.specification["properties"]?.array?.isEmpty == false)
    let validator = try ManifestValidator(BuiltInPlugins.definitions())
    let problems = validator.validate(object)
    #expect(problems.isEmpty, "\(problems.prefix(3))")
  }
}
