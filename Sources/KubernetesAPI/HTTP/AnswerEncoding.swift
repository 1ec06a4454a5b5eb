internal import Compression
internal import Documents
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Resources

/// How an answer's bytes go out: as they are, or packed by gzip where the client takes that and they are many.
///
/// The limit is Kubernetes' own (apiserver's responsewriters, defaultGzipThresholdBytes).
struct AnswerEncoding: Sendable {
  static let threshold = 128 * 1024
  /// Fastest, as Kubernetes packs: the gateway's processor is the scarcer.
  private static let level = 1
  private static let pieceSize = 16 * 1024

  /// Whether the client takes gzip (RFC 9110, section 12.5.3).
  let mayPack: Bool

  init(acceptEncoding: String) {
    mayPack = acceptEncoding.split(separator: ",").contains { entry in
      let parts = entry.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      guard let coding = parts.first, coding == "gzip" || coding == "*" else { return false }
      return !parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
    }
  }

  /// The body of an answer that is whole in memory.
  func body(_ bytes: [UInt8], _ fields: inout HTTPFields) -> ResponseBody {
    guard mayPack, bytes.count > Self.threshold else { return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)) }
    Self.mark(&fields)
    return ResponseBody(byteBuffer: ByteBuffer(bytes: GzipEncoder.compress(bytes, level: Self.level)))
  }

  /// The body of a list. What is small goes whole; of the rest a piece is in memory at a time.
  func body(_ list: ListBody, _ fields: inout HTTPFields) async throws(APIStatus) -> ResponseBody {
    var list = list
    var opening: [UInt8] = []
    var isOver = false
    while opening.count <= Self.threshold, !isOver {
      if let piece = try await list.next() { opening += piece } else { isOver = true }
    }
    if isOver { return body(opening, &fields) }
    guard mayPack else {
      return ResponseBody { [list, opening] writer in
        var list = list
        try await writer.write(ByteBuffer(bytes: opening))
        while let piece = try await list.next() { try await writer.write(ByteBuffer(bytes: piece)) }
        try await writer.finish(nil)
      }
    }
    Self.mark(&fields)
    return ResponseBody { [list, opening] writer in
      var list = list
      var encoder = GzipEncoder(level: Self.level)
      var packed: [UInt8] = []
      encoder.write(opening, to: &packed)
      while let piece = try await list.next() {
        encoder.write(piece, to: &packed)
        guard packed.count >= Self.pieceSize else { continue }
        try await writer.write(ByteBuffer(bytes: packed))
        packed.removeAll(keepingCapacity: true)
      }
      encoder.finish(to: &packed)
      try await writer.write(ByteBuffer(bytes: packed))
      try await writer.finish(nil)
    }
  }

  private static func mark(_ fields: inout HTTPFields) {
    fields[.contentEncoding] = "gzip"
    fields.append(HTTPField(name: .vary, value: "Accept-Encoding"))
  }
}
