import TestSupport
import Testing

/// What a person gets wrong in a manifest is told with its place, and nothing of it is stored.
@Suite struct BadInputTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var kind: String
    var spec: String
    var path: String
    var word: String
  }

  static let mistakes = [
    Mistake(
      testDescription: "unknown field", kind: "Device", spec: "{connection: {modbus: {tcp: {host: a, prt: 3}}}}",
      path: "spec.connection.modbus.tcp.prt", word: "unknown field"),
    Mistake(
      testDescription: "wrong type", kind: "Device", spec: "{connection: {modbus: {tcp: {host: a, port: many}}}}",
      path: "spec.connection.modbus.tcp.port", word: "must be of type integer"),
    Mistake(
      testDescription: "out of range", kind: "Device", spec: "{connection: {modbus: {tcp: {host: a}, unitID: 999}}}",
      path: "spec.connection.modbus.unitID", word: "less than or equal to 255"),
    Mistake(
      testDescription: "not in the list", kind: "Device", spec: "{writes: Sometimes}", path: "spec.writes",
      word: "Unsupported value"),
    Mistake(
      testDescription: "in a list", kind: "DeviceModel",
      spec: "{protocol: modbus, properties: [{name: a, type: number}, {name: b, type: float}]}",
      path: "spec.properties[1].type", word: "Unsupported value"),
  ]

  private func manifest(_ mistake: Mistake) -> String {
    "apiVersion: selvedge.dev/v1alpha1\nkind: \(mistake.kind)\nmetadata: {name: wrong}\nspec: \(mistake.spec)\n"
  }

  @Test(.timeLimit(.minutes(10)))
  func kubectlIsToldTheFieldAndNothingIsStored() async throws {
    try await withGateway { gateway in
      for mistake in Self.mistakes {
        for verb in [["create"], ["apply"], ["apply", "--server-side"]] {
          let result =
            verb.count == 1
            ? try await gateway.tryKubectl(verb[0], "-f", "-", input: manifest(mistake))
            : try await gateway.tryKubectl(verb[0], verb[1], "-f", "-", input: manifest(mistake))
          #expect(result.status != 0)
          #expect(result.errors.contains(mistake.path), "\(result)")
          #expect(result.errors.contains(mistake.word), "\(result)")
          #expect(try await gateway.object(mistake.kind.lowercased(), "wrong") == nil)
        }
      }
    }
  }

  @Test(.timeLimit(.minutes(10)), arguments: mistakes)
  func validateNamesTheFieldAndFails(_ mistake: Mistake) async throws {
    let result = try await run([try selvedgeBinary(), "validate", "-f", "-"], input: manifest(mistake))
    #expect(result.status == 1)
    #expect((result.output + result.errors).contains(mistake.path), "\(result)")
  }

  @Test(
    .timeLimit(.minutes(10)),
    arguments: [
      ("filter: {where: value >> 3}", "spec.stages[0].filter.where: expected a value before '>' at column 8"),
      ("derive: {name: x, expression: a + bb-}", "spec.stages[0].derive.expression: expected a value at column 8"),
      ("convert: {to: kWatt}", "spec.stages[0].convert.to: 'kWatt' is no unit that is known"),
    ]
  )
  func validateNamesThePlaceInAnExpression(stage: String, words: String) async throws {
    let mistake = Mistake(
      testDescription: "", kind: "Pipeline", spec: "{to: [{name: s}], stages: [{\(stage)}]}", path: "", word: "")
    let result = try await run([try selvedgeBinary(), "validate", "-f", "-"], input: manifest(mistake))
    #expect(result.status == 1)
    #expect((result.output + result.errors).contains(words), "\(result)")
  }
}
