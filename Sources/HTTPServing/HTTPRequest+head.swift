internal import HTTPTypes
internal import NIOHTTP1

extension HTTPRequest {
  /// The request that a head of HTTP/1.1 stands for; nil where its method is no token (RFC 9110, section 9.1).
  init?(_ head: HTTPRequestHead, isSecure: Bool) {
    guard let method = Method(head.method.rawValue) else { return nil }
    var fields = HTTPFields()
    fields.reserveCapacity(head.headers.count)
    var authority: String?
    for (name, value) in head.headers {
      guard let fieldName = HTTPField.Name(name) else { continue }
      if authority == nil, fieldName.canonicalName == "host" {
        authority = value
      } else {
        fields.append(HTTPField(name: fieldName, value: value))
      }
    }
    self.init(
      method: method, scheme: isSecure ? "https" : "http", authority: authority, path: Self.path(of: head.uri),
      headerFields: fields)
  }

  /// The path and query of a target in origin form, or in absolute form, as proxies send it (RFC 9112, section 3.2).
  private static func path(of target: String) -> String {
    guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") else { return target }
    let rest = target[scheme.upperBound...]
    guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
    return rest[start] == "/" ? String(rest[start...]) : "/" + rest[start...]
  }
}

extension HTTPResponseHead {
  init(_ response: HTTPResponse, version: HTTPVersion) {
    var headers = HTTPHeaders()
    headers.reserveCapacity(response.headerFields.count + 4)
    for field in response.headerFields { headers.add(name: field.name.rawName, value: field.value) }
    self.init(
      version: version,
      status: HTTPResponseStatus(statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase),
      headers: headers)
  }
}
