import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import TestSupport
import Testing

/// Register lists as makers write them, made into models.
@Suite struct RegisterListTests {
  private func list(_ file: String, base: Int? = nil, order: RegisterOrder? = nil) throws -> RegisterListImport {
    let data = try Data(contentsOf: URL(filePath: packageRoot + "/Fixtures/register-lists/" + file))
    return try RegisterListImport(Array(data), .init(name: "example", base: base, order: order))
  }

  /// A property in a line: name, type, unit, access, table, address, encoding, order, scale, bounds.
  private func line(_ property: JSONValue) -> String {
    let binding = property["modbus"] ?? .null
    let parts: [String?] = [
      property["name"]?.string, property["type"]?.string, property["unit"]?.string, property["access"]?.string,
      binding["table"]?.string, binding["address"]?.description, binding["encoding"]?.string, binding["order"]?.string,
      binding["scale"].map { "×\($0)" }, binding["bit"].map { "bit \($0)" },
      binding["registers"].map { "\($0) registers" },
      property["minimum"].map { "from \($0)" }, property["maximum"].map { "to \($0)" },
    ]
    return parts.compactMap { $0 }.joined(separator: " ")
  }

  @Test func gainsDivide() throws {
    let list = try list("inverter-gain.csv")
    #expect(
      list.properties.map(line) == [
        "model string Read holding 30000 string 15 registers",
        "rated-power-pn number kW Read holding 30073 uint32 ABCD ×0.001",
        "pv1-voltage number V Read holding 32016 int16 ×0.1",
        "phase-a-current number A Read holding 32072 int32 ABCD ×0.001",
        "power-factor number Read holding 32084 int16 ×0.001", "device-status integer Read holding 32089 uint16",
        "accumulated-energy-yield number kW.h Read holding 32106 uint32 ABCD ×0.01",
        "power-active-power-derating number % ReadWrite holding 40125 int16 ×0.1 from -100 to 100",
      ])
    #expect(
      list.remarks.map(\.description) == [
        "addresses are taken as sent on the wire, from 0; say --base 1 where the list counts from 1",
        "line 10: left out: '[Time] System time': type 'EPOCHTIME' over 2 registers is none known",
        "values over several registers are taken high word first (ABCD); say --order CDAB where it is the other way round",
      ])
  }

  @Test func modiconNumbersSayTheirTable() throws {
    let list = try list("meter-modicon.csv", order: .abcd)
    #expect(
      list.properties.map(line) == [
        "phase-1-line-to-neutral-volts number V Read input 0 float32 ABCD",
        "phase-1-current number A Read input 6 float32 ABCD", "phase-1-power number W Read input 12 float32 ABCD",
        "frequency-of-supply-voltages number Hz Read input 70 float32 ABCD",
        "import-wh-since-last-reset-2 number kW.h Read input 72 float32 ABCD",
        "import-varh-total number kvar.h Read input 76 float32 ABCD",
      ])
    #expect(
      list.remarks.map(\.description) == [
        "addresses are taken for Modicon numbers (40001 is the first holding register); say --base 0 or 1 where they are not"
      ])
  }

  @Test func commasDivideDecimalsWhereSemicolonsDivideCells() throws {
    let list = try list("pump-german.csv", base: 0, order: .cdab)
    #expect(
      list.properties.map(line) == [
        "drehzahl-istwert number /min Read holding 256 int16", "motorstrom number A Read holding 257 uint16 ×0.01",
        "kuhlkorpertemperatur number degC Read holding 258 int16 ×0.1 from -40 to 150",
        "sollwert number Hz ReadWrite holding 272 uint16 ×0.01 from 0 to 50",
        "betriebsstunden number h Read holding 288 uint32 CDAB ×0.1",
        "geratename string Read holding 290 string 8 registers",
      ])
    #expect(list.remarks.isEmpty)
    #expect(list.properties[3]["write"]?["tolerance"] == 0.005)
    #expect(list.properties[2]["description"] == "Kühlkörpertemperatur")
  }

  @Test func functionCodesNameTheTable() throws {
    let list = try list("plc-tabs.tsv")
    #expect(
      list.properties.map(line) == [
        "pump-1-run boolean ReadWrite coil 0", "door boolean Read discrete 4",
        "status-word-fault boolean Read holding 10 uint16 bit 3",
        "status-word-ready boolean Read holding 10 uint16 bit 0",
        "level number ReadWrite holding 20 float32 CDAB from 0 to 10",
        "batch-counter integer Read input 30 uint64 ABCD", "recipe integer ReadWrite holding 40 int16 from 1 to 20",
      ])
    #expect(list.properties[0]["description"] == "Pump 1 run: motor contactor")
  }

  @Test func rangesCountRegistersAndUnitsCarryFactors() throws {
    let list = try list("storage-ranges.csv", base: 1, order: .cdab)
    #expect(
      list.properties.map(line) == [
        "daily-output-energy number kW.h Read holding 5002 uint16 ×0.1",
        "total-output-energy number kW.h Read holding 5003 uint32 CDAB",
        "internal-temperature number degC Read holding 5007 int16 ×0.1",
        "total-dc-power number W Read holding 5016 uint32 CDAB",
        "grid-frequency number Hz Read holding 5035 uint16 ×0.1",
        "battery-level number % Read holding 13021 uint16 ×0.1 from 0 to 1000",
        "serial-number string Read holding 4989 string 10 registers",
      ])
  }

  @Test func whatCannotBeTakenIsSaidLineByLine() throws {
    let list = try list("untidy.csv")
    #expect(
      list.properties.map(line) == [
        "voltage number V Read holding 0 uint16 ×0.1", "voltage-2 number V Read holding 1 uint16 ×0.1",
        "setpoint number degC Read holding 6 int16 ×0.1", "odd-unit integer Read holding 7 uint16",
        "two-lines integer Read holding 9 int16", "40011 integer Read holding 10 int16",
      ])
    #expect(list.rowCount == 11)
    #expect(
      list.remarks.filter { $0.line > 0 }.map(\.description) == [
        "line 4: left out: 'Reserved' is reserved", "line 5: left out: 'Clock': type 'DATE_AND_TIME' is none known",
        "line 6: left out: 'abc' is no address", "line 7: left out: 'Ghost': scale 'zero' is no number",
        "line 8: 'Setpoint': access is Read, since the list has no bounds: add minimum and maximum, then ReadWrite",
        "line 9: 'Odd unit': unit 'furlong' is none known and left out",
        "line 10: left out: 'Secret': access 'X?' is none of R, W and R/W",
      ])
  }

  /// Each property that comes out of a list can be served.
  @Test(arguments: [
    "inverter-gain.csv", "meter-modicon.csv", "pump-german.csv", "plc-tabs.tsv", "storage-ranges.csv", "untidy.csv",
  ])
  func everyPropertyCanBeServed(file: String) throws {
    for property in try list(file).properties {
      let type = try #require(property["type"]?.string.flatMap(PropertyType.init(rawValue:)))
      let binding = try #require(property["modbus"])
      #expect(throws: Never.self) {
        try PropertyBinding(
          ModbusProtocolTests.property(property["name"]?.string ?? "", type, .read, binding))
      }
    }
  }

  @Test func aTableWithoutHeadingIsRefused() {
    let error = #expect(throws: DeviceError.self) {
      try RegisterListImport(Array("1;2;3\n4;5;6\n".utf8), .init(name: "x"))
    }
    #expect(error?.reason == "InvalidList")
  }

  @Test(arguments: [
    ("a,b\n1,2", [["a", "b"], ["1", "2"]]), ("a;b\r\n\"1;\"\"x\"\"\";2\r\n", [["a", "b"], ["1;\"x\"", "2"]]),
    ("a\tb\n\n1\t\"two\nlines\"\n", [["a", "b"], ["1", "two lines"]]),
    ("\u{FEFF}a|b\r1|2", [["a", "b"], ["1", "2"]]),
    ("a;b\n1,5;2,5\n", [["a", "b"], ["1,5", "2,5"]]),
  ])
  func cellsAreReadAsRFC4180HasThem(text: String, cells: [[String]]) {
    #expect(CSVTable(Array(text.utf8)).rows.map(\.cells) == cells)
  }

  /// Random bytes with much of what means something to the reader: no crash, and rows or an error.
  @Test(arguments: 0..<40) func anyBytesAreRead(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let pieces = [
      "\"", ";", ",", "\t", "\n", "\r", "Address", "Name", "Type", "40001", "0x", "-", "h", "U32", "10^", "1/0", "..",
      "°", "\u{0}", "99999999999999999999", "HR", ".", ":", "0,1", "Scale",
    ]
    for _ in 0..<50 {
      var bytes = Array("Address;Name;Type;Scale;Unit;Access;Range;Bit;Count\n".utf8)
      for _ in 0..<Int.random(in: 0..<200, using: &random) {
        bytes += Array(pieces.randomElement(using: &random)!.utf8)
        if Int.random(in: 0..<9, using: &random) == 0 { bytes.append(UInt8.random(in: 0...255, using: &random)) }
      }
      _ = try? RegisterListImport(bytes, .init(name: "x"))
    }
  }
}
