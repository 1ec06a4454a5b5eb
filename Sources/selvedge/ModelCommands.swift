import ArgumentParser
import DeviceKit
import Documents
import FoundationEssentials
import Gateway
import Glibc
import ModbusProtocol
import YAML

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Makes device models from register lists, and looks models over.",
    subcommands: [ModelImportCommand.self, ModelLintCommand.self])
}

struct ModelLintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint",
    abstract: "Looks device models over: fields, names, units, bounds, addresses, encodings, overlaps.",
    discussion: "Ends with 1 where there is an error, with --strict also where there is a warning.")

  @Argument(help: "Files, folders of .yaml files, or - for standard input.")
  var places: [String]
  @Flag(help: "Count warnings as errors.")
  var strict = false
  @Flag(help: "Also ask for what a shared model has: its source, what it leaves out, the file's name.")
  var library = false
  @Flag(help: "Also tell how many requests a model takes.")
  var verbose = false

  func run() throws {
    let lint = try ModelLint()
    var counts: [ModelFinding.Severity: Int] = [:]
    var origins: [String: String] = [:]
    var properties = 0
    func tell(_ file: String, _ finding: ModelFinding, of model: String = "") {
      counts[finding.severity, default: 0] += 1
      guard verbose || finding.severity != .note else { return }
      let place = [file, model, finding.path].filter { !$0.isEmpty }.joined(separator: ": ")
      print("\(place): \(finding.severity.rawValue): \(finding.message)")
    }
    for file in try files() {
      let bytes = try readInput(file)
      let models: [JSONValue]
      do throws(YAMLError) { models = try YAMLDocument.all(in: bytes) } catch {
        tell(file, ModelFinding(.error, "", error.description))
        continue
      }
      if library {
        for finding in ModelLint.libraryFindings(in: String(decoding: bytes, as: UTF8.self), file: file, models: models)
        {
          tell(file, finding)
        }
      }
      for model in models {
        let name = model[path: "metadata", "name"]?.string ?? "?"
        for finding in lint.findings(in: model) { tell(file, finding, of: name) }
        if let first = origins.updateValue(file, forKey: name) {
          tell(file, ModelFinding(.error, "", "the model is also in \(first)"), of: name)
        }
        properties += model[path: "spec", "properties"]?.array?.count ?? 0
      }
    }
    let (errors, warnings) = (counts[.error, default: 0], counts[.warning, default: 0])
    print("\(origins.count) models, \(properties) properties, \(errors) errors, \(warnings) warnings")
    if errors > 0 || (strict && warnings > 0) { throw ExitCode(1) }
  }

  private func files() throws -> [String] {
    var files: [String] = []
    for place in places {
      var isFolder = false
      guard place != "-", FileManager.default.fileExists(atPath: place, isDirectory: &isFolder), isFolder else {
        files.append(place)
        continue
      }
      let found = try FileManager.default.contentsOfDirectory(atPath: place).filter { $0.hasSuffix(".yaml") }.sorted()
      guard !found.isEmpty else { throw ValidationFailure(message: "\(place) holds no .yaml file") }
      files += found.map { "\(place.hasSuffix("/") ? String(place.dropLast()) : place)/\($0)" }
    }
    return files
  }
}

struct ModelImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Makes a device model of a maker's register list (CSV), and says line by line what it could not take.",
    discussion: """
      The list needs a heading; known are the usual names of columns for name, address, function code or table, type, \
      length, unit, scale or gain, offset, access, bounds, byte order, bit and remark. Compare every value with the device's \
      own display before you rely on the model.
      """)

  @Argument(help: "The list: comma-separated values with , or ; or tab between them; - for standard input.")
  var file: String
  @Option(help: "The model's name, such as maker-type; by default the file's.")
  var name: String?
  @Option(help: "The maker.")
  var manufacturer = ""
  @Option(help: "The maker's name for the device.")
  var model = ""
  @Option(
    help: "What the list counts registers from, 0 or 1. Where absent: Modicon numbers if all addresses are, else 0.")
  var base: Int?
  @Option(help: "The order of values over several registers where the list says none: ABCD, CDAB, BADC or DCBA.")
  var order: RegisterOrder?
  @Option(help: "The table of addresses that say none: coil, discrete, input or holding.")
  var table = RegisterTable.holding
  @Option(help: "How often the values are read.")
  var every = "10s"
  @Option(name: .shortAndLong, help: "Write the model here, not to standard output; the file must not exist.")
  var output: String?

  func validate() throws {
    if let base, base != 0, base != 1 { throw ArgumentParser.ValidationError("--base is 0 or 1") }
  }

  func run() throws {
    let stem = file.split(separator: "/").last.map { $0.split(separator: ".").first.map(String.init) ?? "" } ?? ""
    let ownName = stem.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    var options = RegisterListImport.Options(
      name: name ?? String(ownName), manufacturer: manufacturer, model: model, base: base, order: order)
    options.table = table
    options.every = every
    let list = try RegisterListImport(readInput(file), options)
    for remark in list.remarks { printError("\(file): \(remark)") }
    let leftOut = list.remarks.filter(\.isLeftOut).count
    printError("\(file): \(list.properties.count) properties of \(list.rowCount) rows, \(leftOut) left out")
    guard !list.properties.isEmpty else { throw ValidationFailure(message: "nothing could be taken from \(file)") }
    let findings = try ModelLint().findings(in: list.document)
    for finding in findings where finding.severity != .note {
      printError("\(file): \(finding.path): \(finding.severity.rawValue): \(finding.message)")
    }
    let text = Self.text(of: list.document, from: file)
    if let output {
      guard !FileManager.default.fileExists(atPath: output) else {
        throw ValidationFailure(message: "\(output) exists: name a new file")
      }
      guard FileManager.default.createFile(atPath: output, contents: Data(text.utf8)) else {
        throw ValidationFailure(message: "cannot write \(output)")
      }
    } else {
      print(text, terminator: "")
    }
    if findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
  }

  /// One line a property, as the models of the library have it.
  private static func text(of document: JSONValue, from file: String) -> String {
    var text = """
      # Source: imported from \(file.split(separator: "/").last ?? "a list"); not compared with a device.
      # Not covered: what the list does not have.
      apiVersion: selvedge.dev/v1alpha1
      kind: DeviceModel
      metadata: \(YAMLDocument.line(of: document["metadata"] ?? [:]))
      spec:

      """
    for key in ["manufacturer", "model", "protocol"] {
      if let value = document[path: "spec", key] { text += "  \(key): \(YAMLDocument.line(of: value))\n" }
    }
    text += "  properties:\n"
    let order = [
      "name", "description", "type", "unit", "access", "minimum", "maximum", "poll", "write", "table", "address",
      "encoding",
      "order",
    ]
    for property in document[path: "spec", "properties"]?.array ?? [] {
      text += "  - \(YAMLDocument.line(of: property, leading: order))\n"
    }
    return text
  }

  private func printError(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    _ = write(2, bytes, bytes.count)
  }
}
