internal import Documents
internal import HTTPClient
internal import Resources

extension APIStatus {
  /// What a server's answer says that is no success. A body that is no Status is shown by its code alone.
  init(answer: HTTPAnswer) {
    if let json = try? JSONValue(parsing: answer.body), json["kind"]?.string == "Status" {
      self.init(json: json, code: answer.status)
    } else {
      self.init(
        code: answer.status, reason: Self.reasons[answer.status] ?? "",
        message: "the API server answered \(answer.status)")
    }
    if retryAfterSeconds == nil { retryAfterSeconds = answer["Retry-After"].flatMap { Int($0) } }
  }

  /// A Status as a server or a watch sends it.
  init(json: JSONValue, code: Int = 500) {
    let details = json["details"] ?? [:]
    self.init(
      code: json["code"]?.int ?? code, reason: json["reason"]?.string ?? "",
      message: json["message"]?.string ?? "", name: details["name"]?.string ?? "",
      group: details["group"]?.string ?? "", kind: details["kind"]?.string ?? "",
      causes: (details["causes"]?.array ?? []).map {
        Cause(
          reason: $0["reason"]?.string ?? "", message: $0["message"]?.string ?? "", field: $0["field"]?.string ?? "")
      }, retryAfterSeconds: details["retryAfterSeconds"]?.int)
  }

  private static let reasons = [
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "Conflict", 410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
  ]

  /// For a server that gives no answer.
  static func unreachable(_ message: String) -> APIStatus {
    APIStatus(code: 503, reason: unreachableReason, message: message)
  }

  /// No server says this.
  static let unreachableReason = "ServerUnreachable"

  /// Whether there was no answer at all, or one that says that it may come later.
  var isUnreachable: Bool { reason == Self.unreachableReason }

  /// Whether the server does not know the version that was named, so that everything is to be listed.
  var isExpired: Bool { code == 410 || causes.contains { $0.reason == "ResourceVersionTooLarge" } }

  /// For what a server sends that is not what the API says.
  static func unreadable(_ what: String) -> APIStatus {
    APIStatus(code: 502, reason: "InternalError", message: "the API server's answer cannot be read: \(what)")
  }
}
