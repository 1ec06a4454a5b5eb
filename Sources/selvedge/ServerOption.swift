import ArgumentParser
import FoundationEssentials

/// How the commands that talk to a running gateway find it, and what they show to it.
struct ServerOption: ParsableArguments {
  @Option(
    help:
      "The gateway's API, http://HOST:PORT or https://HOST:PORT; or SELVEDGE_SERVER. (default: http://127.0.0.1:7070)"
  )
  var server: String?
  @Option(help: "A bearer token. Others on this machine see a command line: rather say it in SELVEDGE_TOKEN.")
  var token: String?
  @Option(help: "The authorities (PEM) of the gateway's certificate, else the system's; or SELVEDGE_CA.")
  var ca: String?
  @Option(help: "A client certificate (PEM); or SELVEDGE_CLIENT_CERT.")
  var clientCert: String?
  @Option(help: "The client certificate's private key (PEM); or SELVEDGE_CLIENT_KEY.")
  var clientKey: String?

  /// The options with what the environment adds to them.
  var resolved: ServerOption {
    func value(_ option: String?, _ name: String) -> String? {
      if let option { return option }
      return ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    var all = self
    all.server = value(server, "SELVEDGE_SERVER") ?? "http://127.0.0.1:7070"
    all.token = value(token, "SELVEDGE_TOKEN")
    all.ca = value(ca, "SELVEDGE_CA")
    all.clientCert = value(clientCert, "SELVEDGE_CLIENT_CERT")
    all.clientKey = value(clientKey, "SELVEDGE_CLIENT_KEY")
    return all
  }

  func client() throws -> APIClient { try APIClient(resolved) }
}
