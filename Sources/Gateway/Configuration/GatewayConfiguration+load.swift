internal import Documents
internal import FoundationEssentials
internal import Glibc
internal import KubernetesClient
internal import YAML

extension GatewayConfiguration {
  /// Reads the environment and the configuration file and puts the settings together.
  public static func load(flags: [String: String], configFile: String?) throws(StartError) -> GatewayConfiguration {
    let environment = ProcessInfo.processInfo.environment
    var file: JSONValue?
    if let path = configFile ?? environment["SELVEDGE_CONFIG"] {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw StartError("cannot read the configuration file \(path)")
      }
      do {
        file = try YAMLDocument.all(in: Array(data)).first
      } catch {
        throw StartError("the configuration file \(path) is not YAML: \(error)")
      }
    }
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return try GatewayConfiguration(
      flags: flags, environment: environment, file: file, hostName: host.isEmpty ? "gateway" : host.lowercased(),
      defaultDataDirectory: defaultDataDirectory(environment),
      isPod: ClusterAccess.isInCluster(environment: environment))
  }

  /// `/var/lib/selvedge` for root; for others a folder of their own by the XDG base directory specification.
  private static func defaultDataDirectory(_ environment: [String: String]) -> String {
    if geteuid() == 0 { return "/var/lib/selvedge" }
    if let state = environment["XDG_STATE_HOME"], !state.isEmpty { return state + "/selvedge" }
    return (environment["HOME"] ?? ".") + "/.local/state/selvedge"
  }
}
