internal import Logging
internal import NIOSSL

/// TLS of the API, from files that may be replaced while it runs: a new connection has the files of its time.
struct ServerTLS: Sendable {
  private let files: ReloadedFiles<NIOSSLContext>

  /// - Parameter clientCA: the authorities of client certificates; nil: none are asked for.
  init(_ files: GatewayConfiguration.TLSFiles, clientCA: String?, logger: Logger) throws(StartError) {
    let paths = [files.certificate, files.key] + (clientCA.map { [$0] } ?? [])
    self.files = try ReloadedFiles("the TLS files", paths, logger: logger) { contents in
      try Self.context(certificate: contents[0], key: contents[1], clientCA: contents.count > 2 ? contents[2] : nil)
    }
  }

  var context: NIOSSLContext { files.current }

  static func context(certificate: [UInt8], key: [UInt8], clientCA: [UInt8]?) throws -> NIOSSLContext {
    let chain = try certificates(certificate, "the certificate")
    let privateKey: NIOSSLPrivateKey
    do {
      privateKey = try NIOSSLPrivateKey(bytes: key, format: .pem)
    } catch {
      throw StartError("the key is no private key in PEM without a passphrase")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    if let clientCA {
      configuration.trustRoots = .certificates(try certificates(clientCA, "the client CA"))
      configuration.certificateVerification = .optionalVerification
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw StartError("the key is not the certificate's, or they cannot be used: \(error)")
    }
  }

  private static func certificates(_ bytes: [UInt8], _ what: String) throws -> [NIOSSLCertificate] {
    guard let found = try? NIOSSLCertificate.fromPEMBytes(bytes), !found.isEmpty else {
      throw StartError("\(what) is no PEM file of certificates")
    }
    return found
  }
}
