/// Why a plant cannot start.
public enum PlantError: Error, Sendable, Equatable, CustomStringConvertible {
  case cannotListen(host: String, port: Int, reason: String)
  case tooManyServers(Int)
  case invalid(String)

  public var description: String {
    switch self {
    case .cannotListen(let host, let port, let reason):
      "cannot listen on \(host):\(port): \(reason); choose another port with --modbus-port"
    case .tooManyServers(let count):
      "\(count) Modbus servers are more than one process serves (\(PlantConfiguration.maximumServers)); start several plants"
    case .invalid(let message): message
    }
  }
}
