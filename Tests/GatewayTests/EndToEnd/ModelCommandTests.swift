import Documents
import Foundation
import TestSupport
import Testing
import YAML

/// `selvedge model`, as an engineer with a register list runs it.
@Suite struct ModelCommandTests {
  @Test(arguments: [
    ("inverter-gain.csv", [String]()), ("meter-modicon.csv", ["--order", "ABCD"]),
    ("pump-german.csv", ["--base", "0", "--order", "CDAB"]), ("plc-tabs.tsv", []),
    ("storage-ranges.csv", ["--base", "1"]),
    ("untidy.csv", []),
  ])
  func anImportedListIsAValidModel(list: String, options: [String]) async throws {
    let folder = try ScratchFolder()
    let model = folder("example-device.yaml")
    let selvedge = try selvedgeBinary()
    let imported = try await run(
      [
        selvedge, "model", "import", packageRoot + "/Fixtures/register-lists/" + list, "--name", "example-device",
        "--manufacturer", "Example & Söhne: pumps", "-o", model,
      ] + options)
    try imported.succeeded()
    #expect(imported.errors.contains("properties of"))
    try await run([selvedge, "validate", "-f", model]).succeeded()
    let linted = try await run([selvedge, "model", "lint", "--library", "--strict", model])
    #expect(linted.output.contains("1 models, ") && linted.output.contains(" 0 errors, 0 warnings"), "\(linted)")
    let document = try YAMLDocument.one(in: String(contentsOfFile: model, encoding: .utf8))
    #expect(document["spec"]?["manufacturer"] == "Example & Söhne: pumps")
    let again = try await run([
      selvedge, "model", "import", packageRoot + "/Fixtures/register-lists/" + list, "-o", model,
    ])
    #expect(again.status != 0 && again.errors.contains("exists: name a new file"), "\(again)")
  }

  @Test func aFaultyModelEndsTheLintWithOne() async throws {
    let folder = try ScratchFolder()
    let file = folder("a.yaml")
    try """
    apiVersion: selvedge.dev/v1alpha1
    kind: DeviceModel
    metadata: {name: a}
    spec:
      protocol: modbus
      properties:
      - {name: energy, type: number, unit: kWh, modbus: {table: holding, address: 0x10, encoding: int32}}
    """.write(toFile: file, atomically: false, encoding: .utf8)
    let selvedge = try selvedgeBinary()
    #expect(try await run([selvedge, "model", "lint", file]).status == 0)
    let strict = try await run([selvedge, "model", "lint", "--strict", folder.path])
    #expect(strict.status == 1)
    #expect(
      strict.output.contains("properties[0].unit: warning: property 'energy': 'kWh' is no unit known: write kW.h"),
      "\(strict)")
    let library = try await run([selvedge, "model", "lint", "--library", file])
    #expect(library.status == 1 && library.output.contains("# Source:"))
  }
}
