internal import HTTPTypes
public import Hummingbird
internal import Resources

/// Asks an ``AccessControl`` about each request as one for a path (`/metrics`, `/`), for all routes of a router that are
/// added after it. The API's own routes ask by themselves.
public struct AccessMiddleware<Context: RequestContext>: RouterMiddleware {
  private let access: AccessControl

  public init(_ access: AccessControl) { self.access = access }

  public func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    do throws(APIStatus) {
      let user = try access.user(of: request.head, await context.knownPeer())
      let method = request.method == .head ? "get" : request.method.rawValue.lowercased()
      try access.authorize(user, AccessAttributes(verb: method, path: request.uri.path))
    } catch {
      return Response(.failure(error))
    }
    return try await next(request, context)
  }
}
