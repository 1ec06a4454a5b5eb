public import Documents
public import HTTPClient
public import SinkKit

/// What a protocol says about each status of an answer. What is not named is refused: the receiver will never take
/// that batch.
public struct AnswerRules: Sendable {
  /// Statuses after which the same batch is sent again.
  public var retried: @Sendable (Int) -> Bool
  /// Whether a web page as the answer to a success is one of somebody else, such as a network's login.
  public var expectsNoPage: Bool

  public init(expectsNoPage: Bool, retried: @escaping @Sendable (Int) -> Bool) {
    self.expectsNoPage = expectsNoPage
    self.retried = retried
  }

  /// Plain HTTP (RFC 9110): 408, 425, 429 and every 5xx.
  public static let http = AnswerRules(expectsNoPage: false) { [408, 425, 429].contains($0) || $0 >= 500 }
  /// Prometheus remote write, both versions: 429 and every 5xx.
  public static let remoteWrite = AnswerRules(expectsNoPage: true) { $0 == 429 || $0 >= 500 }
  /// OTLP/HTTP, "Failures" and "Retryable Response Codes": these four.
  public static let otlp = AnswerRules(expectsNoPage: true) { [429, 502, 503, 504].contains($0) }

  /// Statuses that speak of the Sink's or the receiver's configuration and not of the batch, each with what to do. The
  /// batch waits: a wrong token must not destroy data.
  private static let configuration: [Int: (reason: String, advice: String)] = [
    401: ("Unauthorized", "check the Sink's credentials"),
    402: ("PaymentRequired", "the receiver asks for payment"),
    403: ("Forbidden", "the receiver does not let these credentials write; check its permissions"),
    404: ("NotFound", "check the path of the URL and that the database, bucket or tenant exists"),
    405: ("MethodNotAllowed", "nothing takes data at this path; check the URL"),
    407: ("ProxyAuthenticationRequired", "a proxy stands in the way"),
    410: ("Gone", "nothing takes data at this path any more; check the URL"),
    421: ("MisdirectedRequest", "the server is not the one for this host; check the URL"),
    426: ("UpgradeRequired", "the server wants another protocol; check the URL"),
    451: ("Unavailable", "the receiver must not take data"),
    511: ("NetworkAuthenticationRequired", "the network asks for a login"),
  ]

  /// The outcome of an answer. `delivered` for every 2xx.
  public func outcome(of answer: HTTPAnswer, said: String, now: Timestamp) -> SinkOutcome {
    let status = answer.status
    let words = said.isEmpty ? "" : ": \(said)"
    func error(_ reason: String, _ advice: String = "") -> SinkError {
      let advice = advice.isEmpty ? "" : "; \(advice)"
      return SinkError(reason: reason, message: "the receiver answered \(status)\(words)\(advice)")
    }
    switch status {
    case 200..<300:
      guard expectsNoPage, answer["content-type"]?.lowercased().hasPrefix("text/html") == true else {
        return .delivered
      }
      return .retry(
        SinkError(
          reason: "AnsweredByAPage",
          message:
            "a web page answered, which no receiver does; check the URL, and whether the network asks for a login"),
        after: nil)
    case 300..<400:
      let target = answer["location"].map { " to \($0.prefix(200))" } ?? ""
      return .retry(error("Redirected", "redirects\(target) are not followed; name that URL in the Sink"), after: nil)
    default: break
    }
    if let known = Self.configuration[status] {
      return .retry(error(known.reason, known.advice), after: delay(answer, now))
    }
    if retried(status) {
      let reason = status == 429 ? "TooManyRequests" : status >= 500 ? "ServerError" : "NotNow"
      return .retry(error(reason), after: delay(answer, now))
    }
    return .refused(error(status == 413 ? "TooLarge" : "Refused"))
  }

  private func delay(_ answer: HTTPAnswer, _ now: Timestamp) -> Duration? {
    answer["retry-after"].flatMap { RetryAfter.delay($0, date: answer["date"], now: now) }
  }
}
