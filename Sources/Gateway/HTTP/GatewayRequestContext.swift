internal import Glibc
public import Hummingbird
public import KubernetesAPI
internal import NIOCore
internal import NIOSSL

/// A request with its connection: the client's address and certificate.
public struct GatewayRequestContext: PeerContext {
  public var coreContext: CoreRequestContextStorage
  private let channel: any Channel

  public init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  public func peer() async -> Peer {
    var peer = Peer(address: address)
    // Fails where the connection has no TLS. The handshake has verified what is here.
    if let certificate = try? await channel.nioSSL_peerCertificate().get(), certificate.notValidAfter > time(nil) {
      peer.subject = (try? certificate.toDERBytes()).flatMap { CertificateSubject(der: $0) } ?? CertificateSubject()
    }
    return peer
  }

  private var address: String {
    guard let remote = channel.remoteAddress, let host = remote.ipAddress else { return "" }
    return host.contains(":") ? "[\(host)]:\(remote.port ?? 0)" : "\(host):\(remote.port ?? 0)"
  }
}
