internal import Glibc

/// How many files and sockets this process may have open (getrlimit(2), RLIMIT_NOFILE), and how they are shared out.
package struct OpenFileLimit: Sendable, Equatable {
  /// The limit in force.
  package var descriptors: Int

  package init(descriptors: Int) { self.descriptors = descriptors }

  /// For devices, brokers, databases and spools; the rest is for connections.
  static let reserved = 512
  /// More than that no gateway needs: 1,024 watches, and as many requests beside them.
  static let mostConnections = 2_048

  /// Connections that may be open at a time: at least 64, however low the limit.
  package var connections: Int { min(Self.mostConnections, max(descriptors - Self.reserved, descriptors / 4, 64)) }

  /// Raises the soft limit to what the gateway may need, within the hard one. Many systems begin with 1,024.
  static func raised() -> OpenFileLimit {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return OpenFileLimit(descriptors: 1_024)
    }
    let wanted = min(rlim_t(reserved * 2 + mostConnections), limit.rlim_max)
    if limit.rlim_cur < wanted {
      var raised = limit
      raised.rlim_cur = wanted
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return OpenFileLimit(descriptors: Int(clamping: limit.rlim_cur))
  }
}
