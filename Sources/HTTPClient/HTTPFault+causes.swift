internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

extension HTTPFault {
  /// The library's error in words that say what to do.
  init(_ error: any Error, connect: Duration, total: Duration) {
    switch error {
    case let fault as HTTPFault: self = fault
    case is CancellationError: self.init(reason: "Cancelled", message: "the call was given up")
    case let error as HTTPClientError: self.init(library: error, connect: connect, total: total)
    case let error as NIOConnectionError: self.init(connecting: error)
    case is SocketAddressError: self.init(reason: "HostNotFound", message: "the host's name has no address")
    case let error as IOError: self.init(code: error.errnoCode)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      self.init(
        reason: "CertificateRefused",
        message: "the server's certificate is for another name; set tls.serverName, or use the name it carries")
    case let error as NIOSSLError: self.init(handshake: error)
    case let error as BoringSSLError: self.init(reason: "TLSError", message: "TLS: \(error)")
    case HTTPParserError.invalidEOFState, is ChannelError:
      self.init(reason: "ConnectionClosed", message: "the server closed the connection before its answer was whole")
    case let error as HTTPParserError:
      self.init(reason: "NotHTTP", message: "what came is no HTTP answer (\(error)); is the port right?")
    default: self.init(reason: "HTTPError", message: "\(type(of: error))")
    }
  }

  private init(library error: HTTPClientError, connect: Duration, total: Duration) {
    switch error {
    case .cancelled: self.init(reason: "Cancelled", message: "the call was given up")
    case .connectTimeout, .getConnectionFromPoolTimeout:
      self.init(reason: "ConnectTimeout", message: "no connection within \(connect)")
    case .tlsHandshakeTimeout:
      self.init(reason: "ConnectTimeout", message: "no TLS handshake within \(connect); does the port speak TLS?")
    case .deadlineExceeded, .readTimeout, .writeTimeout:
      self.init(reason: "Timeout", message: "no whole answer within \(total)")
    case .remoteConnectionClosed, .requestStreamCancelled:
      self.init(reason: "ConnectionClosed", message: "the server closed the connection before its answer was whole")
    default: self.init(reason: "HTTPError", message: error.shortDescription)
    }
  }

  private init(connecting error: NIOConnectionError) {
    if let cause = error.connectionErrors.first?.error as? IOError {
      self.init(code: cause.errnoCode)
    } else if let cause = error.connectionErrors.first?.error {
      switch cause {
      case ChannelError.connectTimeout: self.init(reason: "ConnectTimeout", message: "no connection in time")
      default: self.init(reason: "NotConnected", message: "no connection: \(type(of: cause))")
      }
    } else {
      self.init(reason: "HostNotFound", message: "\(error.host): the name cannot be resolved")
    }
  }

  private init(code: Int32) {
    let text = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    switch code {
    case ECONNREFUSED:
      self.init(
        reason: "ConnectionRefused", message: "nobody listens there (\(text)); is the server up, the port right?")
    case ECONNRESET, EPIPE:
      self.init(reason: "ConnectionClosed", message: "the server closed the connection before its answer was whole")
    default: self.init(reason: "NotConnected", message: "no connection: \(text)")
    }
  }

  private init(handshake error: NIOSSLError) {
    switch error {
    case .handshakeFailed(let cause):
      let text = "\(cause)"
      if text.contains("CERTIFICATE_VERIFY_FAILED") {
        self.init(
          reason: "CertificateRefused",
          message:
            "no trusted authority signs the server's certificate; name its authority by tls.caSecretRef or tls.caFile")
      } else if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
        self.init(reason: "NotTLS", message: "the server does not speak TLS there; use http:// or the TLS port")
      } else {
        self.init(reason: "TLSError", message: "the TLS handshake failed: \(text.prefix(200))")
      }
    case .uncleanShutdown:
      self.init(reason: "ConnectionClosed", message: "the server closed the connection before its answer was whole")
    default: self.init(reason: "TLSError", message: "TLS: \(error)")
    }
  }
}
