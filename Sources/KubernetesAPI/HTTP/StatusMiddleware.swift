internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Resources

/// Makes every error under the API's paths a Status, those of the HTTP framework among them.
struct StatusMiddleware<Context: RequestContext>: RouterMiddleware {
  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      guard Self.covers(request.uri.path) else { throw error }
      return Response(.failure(Self.status(of: error, method: request.method, logger: context.logger)))
    }
  }

  private static func covers(_ path: String) -> Bool {
    ["api", "apis", "openapi", "version"].contains(path.split(separator: "/").first.map(String.init) ?? "")
  }

  private static func status(of error: any Error, method: HTTPRequest.Method, logger: Logger) -> APIStatus {
    if let status = error as? APIStatus { return status }
    guard let http = error as? any HTTPResponseError else {
      logger.error("unexpected error in the API", metadata: ["error": "\(error)"])
      return .internalError("the request could not be answered")
    }
    switch http.status.code {
    // The router knows the API's own methods alone.
    case 404: return KubernetesAPI.methods.contains(method) ? .noSuchPath : .methodNotAllowed
    case 405: return .methodNotAllowed
    case 413: return .bodyTooLarge
    case 400..<500: return APIStatus(code: http.status.code, reason: "BadRequest", message: "\(http)")
    default: return .internalError("\(http)")
    }
  }
}

extension APIStatus {
  static let bodyTooLarge = APIStatus(
    code: 413, reason: "RequestEntityTooLarge",
    message: "the body of the request is larger than \(KubernetesAPI.maximumBodySize) bytes")
}
