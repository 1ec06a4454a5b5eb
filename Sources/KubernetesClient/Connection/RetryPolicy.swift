package import HTTPClient

/// What to do with an answer or its absence: take it, ask again, or give up. Pure.
package struct RetryPolicy: Sendable {
  package enum Verdict: Equatable {
    case take
    case retry(after: Duration)
  }

  /// How often one request is sent.
  package var attempts = 5
  /// The longest pause that a server is given.
  package var longestPause = Duration.seconds(30)

  package init() {}

  /// - Parameters:
  ///   - isRepeatable: whether it does no harm to do the request twice.
  ///   - attempt: from 1.
  ///   - random: in 0…1.
  package func verdict(
    _ outcome: Result<HTTPAnswer, HTTPFault>, isRepeatable: Bool, attempt: Int, random: Double
  ) -> Verdict {
    guard attempt < attempts else { return .take }
    var backoff = Backoff(first: .milliseconds(200), longest: .seconds(5))
    var pause = Duration.zero
    for _ in 0..<attempt { pause = backoff.next(random: random) }
    switch outcome {
    case .failure(let fault):
      // A connection that was kept open and has gone: the next one is new. Others are the caller's to wait out.
      return fault.reason == "ConnectionClosed" && isRepeatable ? .retry(after: pause) : .take
    case .success(let answer):
      let said = Self.retryAfter(answer).map { min(longestPause, max($0, pause)) }
      switch answer.status {
      case 429: return .retry(after: said ?? pause)
      // 504 tells of a version that does not come, or of a request that may have been done.
      case 500, 502, 503: return said != nil || isRepeatable ? .retry(after: said ?? pause) : .take
      default: return .take
      }
    }
  }

  /// RFC 9110, section 10.2.3, in seconds.
  package static func retryAfter(_ answer: HTTPAnswer) -> Duration? {
    answer["Retry-After"].flatMap { Int($0) }.flatMap { $0 >= 0 ? .seconds($0) : nil }
  }
}
