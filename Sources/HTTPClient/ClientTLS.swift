internal import NIOSSL

/// How a client verifies a server and how it shows who it is.
public struct ClientTLS: Sendable, Hashable {
  /// Certificates (PEM) of the authorities to trust; nil: the system's.
  public var authorities: [UInt8]?
  /// The client's own certificate chain and its key (PEM); both or none.
  public var certificates: [UInt8]?
  public var key: [UInt8]?
  /// The name that the server's certificate must carry; nil: the URL's host.
  public var serverName: String?
  /// Whether the certificate is verified at all.
  public var verifies: Bool

  public init(
    authorities: [UInt8]? = nil, certificates: [UInt8]? = nil, key: [UInt8]? = nil, serverName: String? = nil,
    verifies: Bool = true
  ) {
    self.authorities = authorities
    self.certificates = certificates
    self.key = key
    self.serverName = serverName
    self.verifies = verifies
  }

  /// The library's form. Throws where a PEM text cannot be read, saying which, never what it holds.
  func configuration() throws(HTTPFault) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = verifies ? .fullVerification : .none
    if let authorities {
      configuration.trustRoots = .certificates(try Self.certificates(authorities, "the authorities"))
    }
    guard (certificates == nil) == (key == nil) else {
      throw HTTPFault(reason: "InvalidTLS", message: "certificate and key go together")
    }
    if let certificates, let key {
      configuration.certificateChain = try Self.certificates(certificates, "the client certificate").map {
        .certificate($0)
      }
      do {
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
      } catch {
        throw HTTPFault(reason: "InvalidTLS", message: "the client's key is no private key in PEM")
      }
    }
    return configuration
  }

  private static func certificates(_ text: [UInt8], _ what: String) throws(HTTPFault) -> [NIOSSLCertificate] {
    let read = (try? NIOSSLCertificate.fromPEMBytes(text)) ?? []
    guard !read.isEmpty else { throw HTTPFault(reason: "InvalidTLS", message: "\(what): no certificate in PEM") }
    return read
  }
}
