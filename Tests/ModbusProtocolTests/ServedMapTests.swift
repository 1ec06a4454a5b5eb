import DeviceKit
import Documents
import ModbusProtocol
import Testing
import YAML

/// What a manifest may say of a server, and what it is told where it may not.
@Suite struct ServedMapTests {
  private func specification(_ text: String) throws -> JSONValue { try YAMLDocument.one(in: text) }

  @Test func aMapLiesWhereItSays() throws {
    let map = try ServedMap(
      specification(
        """
        port: 1502
        heartbeat: {table: holding, address: 90}
        quality: {table: discrete, address: 0}
        map:
        - {device: meter-1, property: power, register: 40001, encoding: float32}
        - {device: line/boiler-1, property: setpoint, access: ReadWrite, table: holding, address: 10, encoding: int16, scale: 0.1}
        - {device: line/boiler-1, property: pump, access: ReadWrite, register: 4}
        """), path: "p")
    #expect(map.entries.map(\.address) == [0, 10, 3, 90, 0])
    #expect(map.entries.map(\.count) == [2, 1, 1, 1, 3])
    #expect(map.entries.map(\.table) == [.holding, .holding, .coil, .holding, .discrete])
    guard case .property(let property) = map.entries[1].content else { throw TestTrouble("no property") }
    #expect(property.name == PointName(device: DeviceKey(namespace: "line", name: "boiler-1"), property: "setpoint"))
    #expect(map.isWritable(.holding) && map.isWritable(.coil) && !map.isWritable(.input))
  }

  @Test func bitsOfOneRegisterMayBelongToManyAndOnlyToOneEach() throws {
    let both = """
      map:
      - {device: a, property: x, table: holding, address: 5, bit: 0}
      - {device: a, property: w, table: holding, address: 5, bits: {from: 1, count: 3}}
      """
    #expect(try ServedMap(specification(both), path: "p").entries.map { $0.masks } == [[1], [0b1110]])
    let error = #expect(throws: DeviceError.self) {
      try ServedMap(
        specification(both + "\n- {device: a, property: z, table: holding, address: 5, bit: 3}"), path: "p")
    }
    #expect(error?.message.hasPrefix("p.map[2]: lies over p.map[1] at holding address 5") == true, "\(error!)")
  }

  @Test(arguments: [
    ("map: []", "p.map: names no property"),
    ("map: [{property: x, table: input, address: 1}]", "p.map[0].device: is needed"),
    ("map: [{device: a, table: input, address: 1}]", "p.map[0].property: is needed"),
    ("map: [{device: a, property: x}]", "p.map[0].table: is needed"),
    ("map: [{device: a, property: x, register: 50001}]", "p.map[0].register: 50001 is no Modicon number"),
    ("map: [{device: a, property: x, table: input, address: 1, encoding: string}]", "p.map[0].registers: is needed"),
    (
      "map: [{device: a, property: x, table: input, address: 65535, encoding: float32}]",
      "p.map[0].address: 65535 + 2 registers lead past 65535"
    ),
    (
      "map: [{device: a, property: x, table: input, address: 1, access: ReadWrite}]",
      "p.map[0].access: ReadWrite needs the table coil or holding"
    ),
    (
      "map: [{device: a, property: x, table: input, address: 1, scaleFrom: {address: 2}}]",
      "p.map[0].scaleFrom: has no meaning in a server"
    ),
    (
      "map: [{device: a, property: x, table: input, address: 0, encoding: uint32}, {device: a, property: w, table: input, address: 1}]",
      "p.map[1]: lies over p.map[0] at input address 1"
    ),
    (
      "onBad: Sentinel\nmap: [{device: a, property: x, table: input, address: 0, encoding: bcd16}]",
      "p.map[0].onBad: Sentinel needs notAvailable"
    ),
    (
      "map: [{device: a, property: x, table: input, address: 0}]\nheartbeat: {table: discrete, address: 1}",
      "p.heartbeat.table: must be input or holding"
    ),
    (
      "map: [{device: a, property: x, table: input, address: 0}]\nquality: {table: input, address: 0}",
      "p.quality: lies over p.map[0]"
    ),
  ]) func whatCannotBeServedIsNamedWithItsField(text: String, message: String) throws {
    let error = #expect(throws: DeviceError.self) { try ServedMap(specification(text), path: "p") }
    #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
    #expect(error?.isPermanent == true && error?.reason == "InvalidServer")
  }

  @Test(arguments: [
    ("port: 502\naddress: 10.1.0.1", "p.allowFrom: is needed where address is not loopback"),
    ("port: 502\naddress: 0.0.0.0\nallowFrom: [0.0.0.0/0]", "p.allowFrom[0]: '0.0.0.0/0' lets everybody in"),
    ("port: 502\naddress: '::'\nallowFrom: ['10.0.0.1', '::/0']", "p.allowFrom[1]: '::/0' lets everybody in"),
    ("port: 502\naddress: plc-1", "p.address: 'plc-1' is no IP address"),
    ("port: 502\nallowFrom: [10.0.0.0/33]", "p.allowFrom[0]: '10.0.0.0/33' is neither"),
    ("address: 127.0.0.1", "p.port: must be a whole number"),
    ("port: 502\nmaxClients: 65", "p.maxClients: must be"),
    ("port: 502\nunitID: 248", "p.unitID: must be"),
    ("port: 502\nidleTimeout: 0s", "p.idleTimeout: must be"),
  ]) func aServerIsForThoseItNames(text: String, message: String) throws {
    let error = #expect(throws: DeviceError.self) { try ServerSettings(specification(text), path: "p") }
    #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test func addressesAndBlocksTakeInWhatTheySay() throws {
    let settings = try ServerSettings(
      specification("port: 502\naddress: '::'\nallowFrom: [10.1.0.7, 10.2.0.0/23, 'fd00::/9']"), path: "p")
    #expect(settings.allows([10, 1, 0, 7]) && settings.allows([10, 2, 1, 255]))
    #expect(!settings.allows([10, 1, 0, 8]) && !settings.allows([10, 2, 2, 0]) && !settings.allows([127, 0, 0, 1]))
    #expect(settings.allows([0xFD, 0x7F] + [UInt8](repeating: 1, count: 14)))
    #expect(!settings.allows([0xFD, 0x80] + [UInt8](repeating: 1, count: 14)))
    let loopback = try ServerSettings(specification("port: 502\naddress: 127.0.0.9"), path: "p")
    #expect(loopback.allows([127, 0, 0, 1]))
    #expect(AddressBlock("::ffff:10.1.0.7")?.bytes == [10, 1, 0, 7])
    #expect(AddressBlock("10.1.0.7/+8") == nil && AddressBlock("") == nil && AddressBlock("10.1.0.0/8/8") == nil)
  }

  @Test func unitIDsAreTheServersOwnAndThoseThatMeanWhoeverIsThere() throws {
    let settings = try ServerSettings(specification("port: 502\nunitID: 7"), path: "p")
    #expect([7, 0, 255].allSatisfy { settings.answers($0) } && !settings.answers(1))
    #expect(try (0...255).allSatisfy { try ServerSettings(specification("port: 502"), path: "p").answers(UInt8($0)) })
  }
}
