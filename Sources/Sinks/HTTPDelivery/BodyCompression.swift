internal import Compression

/// How a request's body is compressed.
public enum BodyCompression: String, Sendable, Hashable, CaseIterable {
  case none, gzip, zstd

  /// The header `Content-Encoding`; nil for none.
  public var contentEncoding: String? { self == .none ? nil : rawValue }

  /// The body as it is sent.
  public func encoded(_ body: [UInt8]) -> [UInt8] {
    switch self {
    case .none: body
    case .gzip: GzipEncoder.compress(body)
    case .zstd: ZstdEncoder.compress(body)
    }
  }
}
