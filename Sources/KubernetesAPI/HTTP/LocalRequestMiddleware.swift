public import Hummingbird

/// Refuses what a ``LocalRequestGuard`` refuses, with a Status; for all routes of a router that are added after it.
public struct LocalRequestMiddleware<Context: RequestContext>: RouterMiddleware {
  private let requestGuard: LocalRequestGuard

  public init(_ requestGuard: LocalRequestGuard) { self.requestGuard = requestGuard }

  public func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    if let refusal = requestGuard.refusal(of: request.head) { return Response(.failure(refusal)) }
    return try await next(request, context)
  }
}
