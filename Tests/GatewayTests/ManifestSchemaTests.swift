import Documents
import Foundation
import Gateway
import Resources
import Testing
import YAML

/// The repository's root, from this file's place in it.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

func yamlFiles(in folder: String) throws -> [URL] {
  try FileManager.default.contentsOfDirectory(
    at: repository.appending(path: folder).resolvingSymlinksInPath(), includingPropertiesForKeys: nil
  ).filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }
}

func documents(_ file: URL) throws -> [JSONValue] { try YAMLDocument.all(in: Array(Data(contentsOf: file))) }

@Suite struct ManifestSchemaTests {
  @Test(arguments: ["Examples/contract", "Examples/demo", "device-models"])
  func everyManifestIsValid(_ folder: String) throws {
    let validator = try ManifestValidator(BuiltInPlugins.definitions())
    let files = try yamlFiles(in: folder)
    #expect(!files.isEmpty)
    for file in files {
      for document in try documents(file) {
        #expect(
          validator.validate(document).isEmpty,
          "\(file.lastPathComponent) \(document[path: "metadata", "name"]?.string ?? "")")
      }
    }
  }

  @Test func theDeployedCRDsAreTheComposedOnes() throws {
    let composed = try BuiltInPlugins.customResourceDefinitions()
    var deployed: [String: JSONValue] = [:]
    for file in try yamlFiles(in: "Deploy/crds") {
      for document in try documents(file) { deployed[document[path: "metadata", "name"]?.string ?? ""] = document }
    }
    #expect(deployed.count == composed.count)
    for crd in composed {
      let name = crd[path: "metadata", "name"]?.string ?? ""
      #expect(deployed[name] == crd, "Deploy/crds has another \(name): run `make crds`")
    }
  }

  @Test(
    arguments: [
      (
        "an unknown field", ["spec": ["connection": ["modbus": ["tcp": ["host": "h", "prot": 502]]]]],
        "spec.connection.modbus.tcp.prot"
      ),
      (
        "a wrong type", ["spec": ["connection": ["modbus": ["tcp": ["host": "h", "port": "502"]]]]],
        "spec.connection.modbus.tcp.port"
      ),
      (
        "a number out of range", ["spec": ["connection": ["modbus": ["tcp": ["host": "h", "port": 70_000]]]]],
        "spec.connection.modbus.tcp.port"
      ),
      ("an impossible word", ["spec": ["writes": "Sometimes"]], "spec.writes"),
    ] as [(String, JSONValue, String)])
  func isRefusedWithItsPath(_ name: String, _ changes: JSONValue, _ path: String) throws {
    let validator = try ManifestValidator(BuiltInPlugins.definitions())
    let device: JSONValue = [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "Device", "metadata": ["name": "d", "namespace": "default"],
    ]
    let problems = validator.validate(device.merging(changes)).map { "\($0)" }
    #expect(problems.contains { $0.contains(path) }, "\(name): \(problems)")
  }
}
