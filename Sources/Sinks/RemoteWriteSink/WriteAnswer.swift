internal import Documents
internal import HTTPClient
internal import SinkKit

/// What an answer means to remote write, beyond its status.
enum WriteAnswer: Sendable {
  /// The receiver does not know the message: the older one is tried.
  case unsupportedMessage
  /// Some samples were written, some never will be.
  case partly(written: Int)
  /// A sample lies before the receiver's newest of its series, or on one with another value.
  case disordered(cause: String)
  /// As the status says.
  case plain

  /// Reads an answer to `version` with `samples` samples; `isKnown` where the receiver has shown before that it knows it.
  static func read(_ answer: HTTPAnswer, version: WriteRequest, samples: Int, isKnown: Bool) -> WriteAnswer {
    switch version {
    case .version1:
      guard [400, 409, 422].contains(answer.status),
        let cause = disorder(String(decoding: answer.body.prefix(4_096), as: UTF8.self))
      else { return .plain }
      return .disordered(cause: cause)
    case .version2:
      // Remote-Write 2.0, "Required Written Response Headers".
      let written = answer["x-prometheus-remote-write-samples-written"].flatMap { Int($0) }
      let showsIt = answer.fields.contains { field in
        let name = field.name.lowercased()
        return name.hasPrefix("x-prometheus-remote-write-") && name.hasSuffix("-written")
      }
      switch answer.status {
      case 415: return .unsupportedMessage
      case 200..<300:
        guard showsIt else { return isKnown ? .plain : .unsupportedMessage }
        return (written ?? 0) < samples ? .partly(written: written ?? 0) : .plain
      // 1.x receivers answer 400 to a message that they do not know ("Unsupported Request Content").
      case 400 where !showsIt && !isKnown: return .unsupportedMessage
      case 400..<500 where answer.status != 429:
        guard let written, written > 0 else { return .plain }
        return .partly(written: written)
      default: return .plain
      }
    }
  }

  /// The cause in the words of Prometheus, Mimir, Cortex and Thanos; nil where it is none of order.
  static func disorder(_ text: String) -> String? {
    let text = text.lowercased()
    let words = [
      ("out of order", "outOfOrder"), ("out-of-order", "outOfOrder"), ("duplicate sample", "duplicateSample"),
      ("duplicate-timestamp", "duplicateSample"), ("out of bounds", "tooOld"), ("too old", "tooOld"),
      ("too-old", "tooOld"),
    ]
    return words.first { text.contains($0.0) }?.1
  }
}
