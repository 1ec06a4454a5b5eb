import ArgumentParser
import Documents
import FoundationEssentials
import Gateway
import YAML

struct KubeconfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kubeconfig",
    abstract:
      "Prints a kubeconfig for the running gateway: save it, readable by yourself alone, and point KUBECONFIG at it.",
    discussion: """
      Of --token, --client-cert and --ca it holds what is said. With --token-file and --user the token is that user's.
      """)
  @OptionGroup var server: ServerOption
  @Option(help: "The user's name in the kubeconfig; with --token-file, whose token to take.")
  var user: String?
  @Option(help: "The gateway's token file.")
  var tokenFile: String?

  func run() async throws {
    var options = server.resolved
    if let tokenFile {
      guard let user else { throw ValidationFailure(message: "--token-file needs --user: whose token?") }
      guard let token = try TokenFile.token(of: user, in: readInput(tokenFile)) else {
        throw ValidationFailure(message: "\(tokenFile) has no token of \"\(user)\"")
      }
      options.token = token
    }
    let version = try await APIClient(options).request("GET", "/version")
    guard version.isSuccess else { throw ValidationFailure(message: version.problem) }
    let credentials = Kubeconfig.Credentials(
      user: user, token: options.token, clientCertificate: options.clientCert.map(absolute),
      clientKey: options.clientKey.map(absolute))
    let document = Kubeconfig.document(
      server: options.server ?? "", authorities: try options.ca.map { try readInput($0) }, credentials: credentials)
    print(YAMLDocument.text(of: document), terminator: "")
  }

  private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Lists resources as a table, or prints one as YAML.")
  @OptionGroup var server: ServerOption
  @Argument(help: "devices, twins, discoveries, sinks … (plural, singular, kind or short name)")
  var resource: String
  @Argument(help: "The object's name; absent: all.")
  var name: String?
  @Option(name: [.customShort("n"), .long], help: "The namespace.")
  var namespace = "default"
  @Option(name: .shortAndLong, help: "table, yaml or json.")
  var output: String?

  func run() async throws {
    let client = try server.client()
    let definition = try await client.definition(named: resource)
    let path = definition.path(namespace: namespace, name: name)
    if (output ?? (name == nil ? "table" : "yaml")) == "table" {
      print(try await client.table(path), terminator: "")
      return
    }
    let object = try await client.json("GET", path)
    if output == "json" {
      print(String(decoding: object.serialised(pretty: true), as: UTF8.self), terminator: "")
    } else {
      print(YAMLDocument.text(of: object), terminator: "")
    }
  }
}

struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Applies manifests to the running gateway (server-side apply).")
  @OptionGroup var server: ServerOption
  @Option(name: .customShort("f"), help: "A file, or - for standard input; may be repeated.")
  var files: [String]
  @Flag(help: "Take over fields that others own.")
  var force = false

  func run() async throws {
    let client = try server.client()
    for file in files {
      for document in try YAMLDocument.all(in: readInput(file)) {
        let definition = try await client.definition(of: document)
        let name = document[path: "metadata", "name"]?.string ?? ""
        let namespace = document[path: "metadata", "namespace"]?.string ?? "default"
        let path = definition.path(namespace: namespace, name: name)
        let response = try await client.request(
          "PATCH", path + "?fieldManager=selvedge-cli&fieldValidation=Strict&force=\(force)",
          contentType: "application/apply-patch+yaml", body: document.serialised())
        guard response.isSuccess else { throw ValidationFailure(message: "\(file): \(response.problem)") }
        print("\(definition.singular)/\(name) \(response.code == 201 ? "created" : "applied")")
      }
    }
  }
}

struct TwinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "twin", abstract: "Sets desired values of a device, sends it commands, and tells what came of them.",
    subcommands: [TwinSetCommand.self, TwinSendCommand.self, TwinHistoryCommand.self, TwinDeltaCommand.self])
}

struct TwinSetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Sets one or more desired values: selvedge twin set boiler-1 setpoint=60 pump=true")
  @OptionGroup var server: ServerOption
  @OptionGroup var twin: TwinArgument
  @Argument(help: "PROPERTY=VALUE; the value as JSON, or as plain text; PROPERTY= withdraws the wish.")
  var assignments: [String]

  func run() async throws {
    var desired: JSONValue = [:]
    for assignment in assignments {
      guard let equals = assignment.firstIndex(of: "=") else {
        throw ValidationFailure(message: "\"\(assignment)\" is not PROPERTY=VALUE")
      }
      let text = assignment[assignment.index(after: equals)...]
      desired[String(assignment[..<equals])] =
        text.isEmpty ? .null : (try? JSONValue(parsing: text)) ?? .string(String(text))
    }
    let client = try server.client()
    let path = twin.path
    let body: JSONValue = ["spec": ["desired": desired]]
    let response = try await client.request(
      "PATCH", path + "?fieldManager=selvedge-cli", contentType: "application/merge-patch+json", body: body.serialised()
    )
    guard response.isSuccess else { throw ValidationFailure(message: response.problem) }
    print("twin/\(twin.device) set")
  }
}
