/// One HTTP request to the API, as values.
struct APICall: Sendable {
  enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }
  /// Nil for any other method.
  var method: Method?
  /// As sent, with percent escapes, without the query.
  var path: String
  var query: APIQuery
  var accept: String
  var contentType: String
  var userAgent: String
  /// Host and port as the client wrote them.
  var authority: String
  var ifNoneMatch: String
  /// Empty for GET.
  var body: [UInt8]

  init(
    method: Method?, path: String, query: APIQuery = APIQuery(), accept: String = "*/*", contentType: String = "",
    userAgent: String = "", authority: String = "", ifNoneMatch: String = "", body: [UInt8] = []
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
  }
}
