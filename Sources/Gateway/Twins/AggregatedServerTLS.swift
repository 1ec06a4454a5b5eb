internal import Logging
internal import NIOSSL
internal import Synchronization

/// TLS of the server of the cluster's twins: its certificate from files, the authority of clients from the cluster. Either
/// may change while it runs.
final class AggregatedServerTLS: Sendable {
  private let files: ReloadedFiles<[[UInt8]]>
  private let authorities: @Sendable () -> [UInt8]?
  private let made = Mutex<(of: [[UInt8]], context: NIOSSLContext)?>(nil)

  /// Throws where the files cannot be used.
  init(
    _ certificates: TwinsCertificates, authorities: @escaping @Sendable () -> [UInt8]?, logger: Logger
  ) throws(StartError) {
    self.authorities = authorities
    files = try ReloadedFiles("the TLS files", [certificates.certificate, certificates.key], logger: logger) {
      contents in
      _ = try ServerTLS.context(certificate: contents[0], key: contents[1], clientCA: nil)
      return contents
    }
  }

  /// For a new connection. While the authority is not known, no client certificate is asked for, so that nobody is
  /// believed.
  func context() throws -> NIOSSLContext {
    let parts = files.current + (authorities().map { [$0] } ?? [])
    return try made.withLock { made in
      if let made, made.of == parts { return made.context }
      let context = try ServerTLS.context(
        certificate: parts[0], key: parts[1], clientCA: parts.count > 2 ? parts[2] : nil)
      made = (parts, context)
      return context
    }
  }
}
