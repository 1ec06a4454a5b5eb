import HTTPTypes
import Hummingbird
import Resources
import Synchronization

/// What an API server was asked for.
final class RequestLog: Sendable {
  struct Entry: Sendable, Hashable {
    /// get list watch create update patch delete, or the method where no resource is named.
    var verb: String
    var group: String
    /// `devices`, `devices/status`, or the path where no resource is named.
    var resource: String
    var query: String
    var code: Int
    /// The bearer token that came with it.
    var token = ""
  }
  private let entries = Mutex<[Entry]>([])

  var all: [Entry] { entries.withLock { $0 } }
  func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }
  func clear() { entries.withLock { $0 = [] } }
}

struct RequestLogMiddleware<Context: RequestContext>: RouterMiddleware {
  let log: RequestLog

  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    let query = request.uri.query ?? ""
    var entry = Self.entry(request.method.rawValue, request.uri.path, query)
    // A watch is told of as it begins.
    let response = try await next(request, context)
    entry.code = response.status.code
    entry.token = request.headers[.authorization].map { String($0.dropFirst("Bearer ".count)) } ?? ""
    log.add(entry)
    return response
  }

  private static func entry(_ method: String, _ path: String, _ query: String) -> RequestLog.Entry {
    var parts = path.split(separator: "/").map(String.init)
    var group = ""
    if parts.count > 2, parts[0] == "api" {
      parts.removeFirst(2)
    } else if parts.count > 3, parts[0] == "apis" {
      group = parts[1]
      parts.removeFirst(3)
    } else {
      return RequestLog.Entry(verb: method, group: "", resource: path, query: query, code: 0)
    }
    if parts.first == "namespaces", parts.count > 2 { parts.removeFirst(2) }
    let isNamed = parts.count > 1
    let verb =
      switch method {
      case "GET": query.contains("watch=1") ? "watch" : isNamed ? "get" : "list"
      case "POST": "create"
      case "PUT": "update"
      case "PATCH": "patch"
      default: isNamed ? "delete" : "deletecollection"
      }
    let resource = parts.count > 2 ? "\(parts[0])/\(parts[2])" : parts[0]
    return RequestLog.Entry(verb: verb, group: group, resource: resource, query: query, code: 0)
  }
}
