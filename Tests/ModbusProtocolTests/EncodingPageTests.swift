import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import TestSupport
import Testing
import YAML

/// docs/MODBUS-ENCODINGS.md says what the codec does.
@Suite struct EncodingPageTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var fields: JSONValue
    var type: PropertyType
    var registers: [UInt16]
    var value: String
    var line: String
    var testDescription: String { line }
  }

  static let rows: [Row] = {
    let page = (try? String(contentsOfFile: packageRoot + "/docs/MODBUS-ENCODINGS.md", encoding: .utf8)) ?? ""
    return page.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 5, let type = PropertyType(rawValue: cells[2]) else { return nil }
      func bare(_ text: String) -> String { text.trimmingCharacters(in: ["`"]) }
      let fields = (try? YAMLDocument.one(in: bare(cells[1]))) ?? .null
      let registers = bare(cells[3]).split(separator: " ").compactMap { UInt16($0.dropFirst(2), radix: 16) }
      return Row(fields: fields, type: type, registers: registers, value: bare(cells[4]), line: String(line))
    }
  }()

  @Test func thePageHasRows() { #expect(Self.rows.count > 45) }

  @Test(arguments: rows) func aRowOfThePageHolds(row: Row) throws {
    var fields = row.fields
    fields["table"] = "holding"
    fields["address"] = 0
    let definition = property("value", row.type, .readWrite, fields)
    let binding = try PropertyBinding(definition)
    let codec = binding.codec
    try #require(binding.length == row.registers.count)
    let decoded = codec.decode(row.registers[...])
    if row.value.hasPrefix("Bad: ") {
      #expect(decoded == .bad(cause: String(row.value.dropFirst(5))))
      return
    }
    if row.value.hasPrefix("Uncertain: ") {
      guard case .uncertain(_, let cause) = decoded else {
        Issue.record("\(decoded)")
        return
      }
      #expect(cause == row.value.dropFirst(11))
      return
    }
    let value = try #require(Value(try JSONValue(parsing: row.value), for: definition))
    guard case .value(let read) = decoded else {
      Issue.record("\(decoded)")
      return
    }
    #expect(read.isSame(value), "\(read)")
    let power = codec.scaleFactor.map { Int(Int16(bitPattern: row.registers[$0.factorOffset])) } ?? 0
    switch try binding.change(to: value, power: power) {
    case .registers(_, let written): #expect(written == Array(row.registers[..<written.count]))
    case .bits(let address, let masks, let bits):
      #expect(zip(masks, row.registers[address...]).map { $0 & $1 } == bits)
    case .coils: Issue.record("no table of bits here")
    }
  }
}

extension Value {
  /// The same, a whole number in an array counting as itself whether it is written 1 or 1.0.
  fileprivate func isSame(_ other: Value) -> Bool {
    switch (self, other) {
    case (.object(let left), .object(let right)):
      return left.array?.map(\.number) == right.array?.map(\.number) && (left.array != nil || left == right)
        && (left.array?.contains { $0.number == nil } != true || left == right)
    default: return self == other
    }
  }
}
