import DeviceKit
import Documents
import ModbusProtocol
import Testing

/// Every encoding, order and width against an encoder that is not ours, through a server that is not ours.
@Suite(.serialized) struct EncodingInteropTests {
  /// The cases one behind the other in the registers of unit 3, each as a property of its own.
  private func properties(_ cases: [EncodingOracle.Case], _ access: PropertyDefinition.Access) throws
    -> (properties: [PropertyDefinition], addresses: [Int])
  {
    var properties: [PropertyDefinition] = []
    var addresses: [Int] = []
    var address = 0
    for (index, one) in cases.enumerated() {
      var fields = one.fields
      fields["table"] = "holding"
      fields["address"] = .integer(Int64(address))
      if let offset = fields["scaleFrom"]?["address"]?.int {
        fields["scaleFrom"]?["address"] = .integer(Int64(address + offset))
      }
      let type = try #require(PropertyType(rawValue: one.type))
      var definition = property("p\(index)", type, access, fields)
      definition.items = one.items.flatMap(PropertyType.init(rawValue:))
      properties.append(definition)
      addresses.append(address)
      address += one.registers.count
    }
    return (properties, addresses)
  }

  /// The value as this program has it; what the oracle prints as 5 is 5.0 in a number.
  private func expected(_ one: EncodingOracle.Case) -> Value? {
    guard let type = PropertyType(rawValue: one.type) else { return nil }
    var definition = PropertyDefinition(name: "", type: type)
    definition.items = one.items.flatMap(PropertyType.init(rawValue:))
    return one.value.flatMap { Value($0, for: definition) }
  }

  @Test(arguments: [7, 4711]) func readsWhatPythonEncoded(seed: Int) async throws {
    let cases = try await EncodingOracle.cases(seed: seed)
    #expect(cases.count > 700)
    let server = try await PymodbusServer()
    defer { server.stop() }
    let (properties, _) = try properties(cases, .read)
    let registers = cases.flatMap(\.registers).map(Int.init)
    for start in stride(from: 0, to: registers.count, by: 123) {
      try await server.set("holding", start, Array(registers[start..<min(start + 123, registers.count)]), unit: 3)
    }
    let session = try ModbusPlugin().session(
      for: sessionRequest(properties, connection: tcp(server.port, unit: 3)), feed: CollectingFeed())
    let readings = await session.read(properties.map(\.name))
    for (property, one) in zip(properties, cases) {
      let reading = try #require(readings[property.name]).get()
      #expect(reading.value == expected(one), "\(one.line)")
      #expect(reading.quality == (one.value == nil ? .bad : .good), "\(one.line): \(reading.cause)")
    }
  }

  @Test func pythonReadsWhatWasWritten() async throws {
    let cases = try await EncodingOracle.cases(seed: 99).filter { $0.value != nil }
    let server = try await PymodbusServer()
    defer { server.stop() }
    let (properties, addresses) = try properties(cases, .readWrite)
    for (one, address) in zip(cases, addresses) where one.fields["scaleFrom"] != nil {
      try await server.set("holding", address, one.registers.map(Int.init), unit: 3)
      try await server.set("holding", address, [0], unit: 3)
    }
    let session = try ModbusPlugin().session(
      for: sessionRequest(properties, connection: tcp(server.port, unit: 3)), feed: CollectingFeed())
    let values = try cases.map { try #require(expected($0)) }
    let results = await session.write(zip(properties, values).map { PropertyWrite(property: $0.name, value: $1) })
    var refused: Set<Int> = []
    for (index, error) in results.enumerated() where error != nil {
      // A double above the largest 64-bit integer is nearest to it: it comes back as out of range.
      let isWide = cases[index].fields["encoding"]?.string?.hasSuffix("int64") == true && cases[index].type == "number"
      #expect(isWide && error?.reason == "OutOfRange", "\(cases[index].line): \(String(describing: error))")
      refused.insert(index)
    }
    #expect(refused.count < 10)
    var written: [(fields: JSONValue, type: String, registers: [Int])] = []
    for (index, one) in cases.enumerated() {
      let registers = try await server.get("holding", addresses[index], one.registers.count, unit: 3)
      written.append((one.fields, one.type, registers))
    }
    let decoded = try await EncodingOracle.decoded(written)
    try #require(decoded.count == cases.count)
    for (index, value) in decoded.enumerated() where !refused.contains(index) {
      let one = cases[index]
      var read = one
      read.value = value
      #expect(expected(read) == expected(one), "\(one.line): written as \(value)")
    }
  }
}
