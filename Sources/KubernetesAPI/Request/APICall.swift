/// One HTTP request to the API, as values.
package struct APICall: Sendable {
  package enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }
  /// Nil for any other method.
  package var method: Method?
  /// As sent, with percent escapes, without the query.
  package var path: String
  package var query: APIQuery
  package var accept: String
  package var contentType: String
  package var userAgent: String
  /// Host and port as the client wrote them.
  package var authority: String
  package var ifNoneMatch: String
  /// Empty for GET.
  package var body: [UInt8]
  /// Who calls.
  package var user: UserInfo
  /// The other end's address; empty where it is not known.
  package var source: String

  package init(
    method: Method?, path: String, query: APIQuery = APIQuery(), accept: String = "*/*", contentType: String = "",
    userAgent: String = "", authority: String = "", ifNoneMatch: String = "", body: [UInt8] = [],
    user: UserInfo = .local, source: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.accept = accept
    self.contentType = contentType
    self.userAgent = userAgent
    self.authority = authority
    self.ifNoneMatch = ifNoneMatch
    self.body = body
    self.user = user
    self.source = source
  }
}
