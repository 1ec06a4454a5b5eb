import Hummingbird
import HummingbirdCore
import Synchronization

/// What an API server is asked for, by verb and resource.
final class RequestCount: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  var all: [String: Int] { counts.withLock { $0 } }

  fileprivate func add(_ what: String) { counts.withLock { $0[what, default: 0] += 1 } }

  /// `get leases`, `patch gateways/status`, or the path where no resource is named.
  fileprivate static func name(_ method: String, _ path: String, _ query: String) -> String {
    var parts = path.split(separator: "/").map(String.init)
    guard parts.count > (parts.first == "api" ? 2 : 3), ["api", "apis"].contains(parts[0]) else { return path }
    parts.removeFirst(parts[0] == "api" ? 2 : 3)
    if parts[0] == "namespaces", parts.count > 2 { parts.removeFirst(2) }
    let verb =
      switch method {
      case "GET": query.contains("watch=1") ? "watch" : parts.count > 1 ? "get" : "list"
      case "POST": "create"
      case "PUT": "update"
      case "PATCH": "patch"
      default: "delete"
      }
    return "\(verb) \(parts[0])" + (parts.count > 2 ? "/\(parts[2])" : "")
  }
}

struct RequestCountMiddleware<Context: RequestContext>: RouterMiddleware {
  let count: RequestCount

  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    count.add(RequestCount.name(request.method.rawValue, request.uri.path, request.uri.query ?? ""))
    return try await next(request, context)
  }
}
