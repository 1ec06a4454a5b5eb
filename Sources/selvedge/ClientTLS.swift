import NIOSSL

/// TLS towards a gateway: its certificate is verified, always.
enum ClientTLS {
  static func context(_ options: ServerOption) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let file = options.ca {
      configuration.trustRoots = .certificates(try certificates(file))
    }
    switch (options.clientCert, options.clientKey) {
    case (let certificate?, let key?):
      configuration.certificateChain = try certificates(certificate).map { .certificate($0) }
      guard let key = try? NIOSSLPrivateKey(bytes: readInput(key), format: .pem) else {
        throw ValidationFailure(message: "\(key) is no private key in PEM without a passphrase")
      }
      configuration.privateKey = .privateKey(key)
    case (nil, nil): break
    default: throw ValidationFailure(message: "--client-cert and --client-key belong together")
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw ValidationFailure(message: "TLS cannot be set up: \(error)")
    }
  }

  private static func certificates(_ file: String) throws -> [NIOSSLCertificate] {
    guard let found = try? NIOSSLCertificate.fromPEMBytes(readInput(file)), !found.isEmpty else {
      throw ValidationFailure(message: "\(file) is no PEM file of certificates")
    }
    return found
  }
}
