import ArgumentParser
import Documents
import Gateway

/// The command line of the gateway.
@main
struct Selvedge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selvedge",
    abstract: "Finds the devices of a plant, keeps a twin of each, and forwards their telemetry without losing any.",
    version: GatewayVersion.text,
    subcommands: [
      RunCommand.self, KubeconfigCommand.self, CRDsCommand.self, ValidateCommand.self, DiscoverCommand.self,
      ModbusCommand.self, ModelCommand.self, GetCommand.self, ApplyCommand.self, TwinCommand.self, BackupCommand.self,
      RestoreCommand.self, QueryCommand.self, QuarantineCommand.self, ServeTwinsCommand.self,
      VersionCommand.self,
    ])
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Prints the version, the commit and the packages that this program was built from.")

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Option(name: .shortAndLong, help: "text or json.")
  var output = Output.text

  func run() {
    switch output {
    case .text: print(BuildStamp.text(of: .ofThisProgram))
    case .json: print(BuildStamp.document(of: .ofThisProgram).description)
    }
  }
}
