internal import HTTPClient
internal import SinkKit

/// What a body of an OTLP answer says.
enum OTLPAnswer {
  /// `ExportMetricsPartialSuccess`.
  struct PartialSuccess: Hashable {
    var rejected: Int
    var message: String
  }

  /// The partial success of a 200; nil where the body has none, or is no message.
  static func partialSuccess(_ body: [UInt8]) -> PartialSuccess? {
    guard let content = first(1, in: body)?.bytes else { return nil }
    let rejected = first(1, in: content)?.varint ?? 0
    let message = first(2, in: content)?.bytes ?? []
    guard rejected > 0 || !message.isEmpty else { return nil }
    // A negative number, which no receiver has reason to send, reads as a very large one.
    return PartialSuccess(
      rejected: rejected > UInt64(Int32.max) ? 0 : Int(rejected), message: String(decoding: message, as: UTF8.self))
  }

  /// The words of a failure: the message of `google.rpc.Status` where the body is one, otherwise the body itself.
  static func words(of answer: HTTPAnswer) -> [UInt8] {
    guard answer["content-type"]?.lowercased().hasPrefix("application/x-protobuf") == true else { return answer.body }
    if (200..<300).contains(answer.status) { return Array((partialSuccess(answer.body)?.message ?? "").utf8) }
    return first(2, in: answer.body)?.bytes ?? []
  }

  private static func first(_ number: Int, in message: [UInt8]) -> ProtobufReader.Content? {
    var reader = ProtobufReader(message)
    while let (field, content) = try? reader.next() {
      if field == number { return content }
    }
    return nil
  }
}
