import DeviceKit
import Documents
import Foundation
import Gateway
import TestSupport
import Testing
import YAML

@Suite struct ModelLintTests {
  private func findings(_ property: JSONValue) throws -> [ModelFinding] {
    try ModelLint().findings(in: [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "DeviceModel", "metadata": ["name": "example"],
      "spec": ["protocol": "modbus", "properties": [property]],
    ])
  }

  @Test func theLibraryHasNothingToSay() throws {
    let lint = try ModelLint()
    for file in try yamlFiles(in: "device-models") {
      let models = try documents(file)
      var findings = models.flatMap { lint.findings(in: $0) }.filter { $0.severity != .note }
      findings += ModelLint.libraryFindings(
        in: try String(contentsOf: file, encoding: .utf8), file: file.path, models: models)
      #expect(findings.isEmpty, "\(file.lastPathComponent)")
    }
  }

  @Test(
    arguments: [
      (["unit": "kWh"], .warning, "properties[0].unit", "kW.h"),
      (["unit": "°C"], .warning, "properties[0].unit", "degC"),
      (["unit": "furlong"], .warning, "properties[0].unit", "furlong"),
      (["minimum": 3, "maximum": 3], .warning, "properties[0].minimum", "both"),
      (["enum": ["x"]], .error, "properties[0].enum[0]", "number"),
      (["access": "ReadWrite"], .warning, "properties[0].access", "minimum and maximum"),
      (["access": "ReadWrite"], .warning, "properties[0].write", "confirmed"),
      (["access": "ReadWrite", "maximum": 70_000], .error, "properties[0].maximum", "uint16"),
      (["maximum": 70_000], .warning, "properties[0].maximum", "uint16"),
      (
        ["modbus": ["register": 30_001], "access": "ReadWrite"], .error, "properties[0].modbus.table",
        "cannot be written"
      ),
      (["modbus": ["register": 40_001, "encoding": "int32"]], .warning, "properties[0].modbus.order", "2 registers"),
      (["type": "boolean"], .warning, "properties[0].modbus.bit", "which bit"),
      (
        ["type": "integer", "modbus": ["register": 40_001, "scale": 0.5]], .warning, "properties[0].modbus.scale",
        "fractions"
      ),
      (["modbus": ["register": 40_001, "scale": 0]], .error, "", "must not be 0"),
      (["type": "string"], .error, "properties[0].modbus", "states do"),
      (
        ["unit": "V", "type": "boolean", "modbus": ["register": 40_001, "bit": 1]], .warning, "properties[0].unit",
        "goes with a number"
      ),
    ] as [(JSONValue, ModelFinding.Severity, String, String)])
  func aDoubtfulPropertyIsTold(change: JSONValue, severity: ModelFinding.Severity, path: String, word: String) throws {
    let good: JSONValue = ["name": "a", "type": "number", "modbus": ["register": 40_001]]
    #expect(try findings(good).allSatisfy { $0.severity == .note })
    var doubtful = good
    for (field, value) in change.object ?? [:] { doubtful[field] = value }
    let found = try findings(doubtful)
    #expect(found.contains { $0.severity == severity && $0.path == path && $0.message.contains(word) }, "\(found)")
  }

  @Test(
    arguments: [
      (["register": 40_002], ["register": 40_002], "Read", .warning, "reads the same"),
      (["register": 40_001, "encoding": "int32"], ["register": 40_002], "Read", .warning, "overlaps"),
      (["register": 40_001, "encoding": "int32"], ["register": 40_002], "ReadWrite", .error, "is written"),
      (
        ["register": 40_001], ["register": 40_001, "bits": ["from": 1, "count": 2]], "ReadWrite", .error, "is written"
      ),
      (["register": 40_001], ["register": 40_001, "bits": ["from": 1, "count": 2]], "Read", nil, ""),
      (
        ["register": 40_001, "bits": ["from": 3, "count": 2]], ["register": 40_001, "bits": ["from": 1, "count": 2]],
        "ReadWrite", nil, ""
      ),
      (
        ["register": 40_001, "encoding": "uint8", "byte": "High"], ["register": 40_001, "encoding": "uint8"],
        "ReadWrite", nil, ""
      ),
      (["register": 40_001], ["register": 30_001], "ReadWrite", nil, ""),
    ] as [(JSONValue, JSONValue, String, ModelFinding.Severity?, String)])
  func propertiesOfTheSameBitsAreTold(
    first: JSONValue, second: JSONValue, access: String, severity: ModelFinding.Severity?, word: String
  ) throws {
    let model: JSONValue = [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "DeviceModel", "metadata": ["name": "example"],
      "spec": [
        "protocol": "modbus",
        "properties": [
          ["name": "a", "type": "integer", "modbus": first, "access": .string(access)],
          ["name": "b", "type": "integer", "modbus": second],
        ],
      ],
    ]
    let found = try ModelLint().findings(in: model).filter {
      $0.message.contains("overlaps") || $0.message.contains("reads the same")
    }
    #expect(found.map(\.severity) == (severity.map { [$0] } ?? []), "\(found)")
    #expect(found.allSatisfy { $0.message.contains(word) })
  }

  @Test func requestsAreCounted() throws {
    let model = try documents(repository.appending(path: "device-models/eastron-sdm120.yaml"))[0]
    let notes = try ModelLint().findings(in: model).filter { $0.severity == .note }
    #expect(!notes.isEmpty && notes.allSatisfy { $0.message.contains("requests") })
  }

  @Test(arguments: [
    "V", "kW.h", "m3/h", "degC", "[ppm]", "/min", "10*3/uL", "kg/m2", "W/(m2.K)", "%{humidity}", "{pulse}/s", "m/s2",
    "kvar.h",
    "mol/l", "dB", "uS/cm", "Mi" + "By", "s-1",
  ])
  func unitsOfUCUMAreKnown(code: String) { #expect(UnitOfMeasure.fault(in: code) == nil) }

  @Test(arguments: ["", "kWh", "°C", "V A", "m//s", "V.", "kmin", "(V", "{x", "Volt", "m²", "ppm", "kk", "."])
  func otherUnitsAreNot(code: String) { #expect(UnitOfMeasure.fault(in: code) != nil) }

  @Test(arguments: [
    ("kWh", "kW.h"), ("KWH", "kW.h"), ("°C", "degC"), ("m³/h", "m3/h"), ("rpm", "/min"), ("VAr", "var"),
    ("kVArh", "kvar.h"),
    ("Ω", "Ohm"), ("%", "%"), ("µS/cm", "uS/cm"), ("l/min", "l/min"), ("Hz", "Hz"), ("min", "min"), ("-", ""),
    ("[kW]", "kW"),
  ])
  func spokenUnitsHaveACode(text: String, code: String) { #expect(UnitOfMeasure.code(for: text) == code) }
}
