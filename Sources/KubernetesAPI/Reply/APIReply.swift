internal import Documents
internal import Resources

/// What the API answers, before HTTP.
package struct APIReply: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// Written piece by piece.
    case list(ListBody)
    /// Written until the client goes, the time is over or the stream ends.
    case watch(WatchBody)
  }
  package var code: Int
  /// Empty: no header.
  package var contentType: String
  package var headers: [(name: String, value: String)] = []
  package var body: Body
  /// A failure's reason; empty otherwise.
  var reason = ""

  static func json(_ value: JSONValue, code: Int = 200, pretty: Bool = false) -> APIReply {
    APIReply(code: code, contentType: "application/json", body: .bytes(value.serialised(pretty: pretty)))
  }

  static func failure(_ status: APIStatus) -> APIReply {
    var reply = json(status.json, code: status.code)
    reply.reason = status.reason
    if let seconds = status.retryAfterSeconds { reply.headers.append(("Retry-After", seconds.description)) }
    return reply
  }

  /// Adds a `Warning:` header for each text (RFC 7234, section 5.5); kubectl prints these.
  mutating func add(warnings: [String]) {
    for warning in warnings {
      var text = ""
      for scalar in warning.unicodeScalars {
        switch scalar {
        case "\"", "\\":
          text.unicodeScalars.append("\\")
          text.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: text.append(" ")
        default: text.unicodeScalars.append(scalar)
        }
      }
      headers.append(("Warning", "299 - \"\(text)\""))
    }
  }
}
