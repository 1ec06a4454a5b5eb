import ArgumentParser
import Documents
import Gateway
import Resources
import YAML

struct CRDsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crds", abstract: "Prints the CustomResourceDefinitions, for `kubectl apply -f -` on a cluster.")

  func run() throws {
    for (index, crd) in try BuiltInPlugins.customResourceDefinitions().enumerated() {
      if index > 0 { print("---") }
      print(YAMLDocument.text(of: crd), terminator: "")
    }
  }
}

struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Checks manifests offline: every field, type and bound, with the field's path.")

  @Option(name: .customShort("f"), help: "A file, or - for standard input; may be repeated.")
  var files: [String]

  func run() throws {
    let validator = try ManifestValidator(BuiltInPlugins.definitions() + BuiltInKinds.all)
    var problems = 0
    for file in files {
      do {
        for (index, decoded) in try YAMLDocument.decoded(in: readInput(file)).enumerated() {
          let document = decoded.value
          let label = "\(document["kind"]?.string ?? "?")/\(document[path: "metadata", "name"]?.string ?? "?")"
          var found =
            decoded.duplicates.map { "line \($0.line): key \"\($0.key)\" occurs twice" }
            + validator.validate(document).map(\.description)
          // What the schema refuses would only be said twice.
          if found.isEmpty { found += pipelineProblem(in: document).map { [$0] } ?? [] }
          problems += found.count
          for problem in found { print("\(file): document \(index + 1), line \(decoded.line): \(label): \(problem)") }
          if found.isEmpty { print("\(file): \(label) is valid") }
        }
      } catch let error as YAMLError {
        problems += 1
        print("\(file): \(error)")
      }
    }
    if problems > 0 { throw ExitCode(1) }
  }
}
