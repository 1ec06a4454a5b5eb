import DeviceKit
import Documents
import HTTPTypes
import Hummingbird
import NIOCore
import Resources
import Synchronization

/// What an overloaded or forgetful server answers now and then, by a seeded order.
final class FaultPlan: Sendable {
  private let state = Mutex((generator: SplitMix64(seed: 1), share: 0.0, answered: 0))

  /// How many requests were answered with a fault.
  var count: Int { state.withLock { $0.answered } }

  /// From now on this share of the requests fails.
  func begin(share: Double, seed: UInt64) {
    state.withLock { $0 = (SplitMix64(seed: seed), share, $0.answered) }
  }

  func end() { state.withLock { $0.share = 0 } }

  /// As servers before 1.32 do.
  let knowsWatchLists = Mutex(true)

  func fault(isWatch: Bool) -> Response? {
    let draw = state.withLock { state -> Int? in
      guard state.share > 0, Double.random(in: 0..<1, using: &state.generator) < state.share else { return nil }
      state.answered += 1
      return Int.random(in: 0..<3, using: &state.generator)
    }
    switch draw {
    case 0:
      return Self.answer(
        APIStatus(code: 429, reason: "TooManyRequests", message: "too many requests", retryAfterSeconds: 0))
    case 1: return Self.answer(.internalError("a fault of the test"))
    case 2 where isWatch:
      let status = APIStatus.expired("too old resource version: 1 (2)")
      let line = "{\"type\":\"ERROR\",\"object\":\(status.json)}\n"
      return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: line)))
    case 2: return Self.answer(.expired("the list is too old"))
    default: return nil
    }
  }

  static func answer(_ status: APIStatus) -> Response {
    var headers: HTTPFields = [.contentType: "application/json"]
    if let seconds = status.retryAfterSeconds { headers[.retryAfter] = "\(seconds)" }
    return Response(
      status: HTTPResponse.Status(code: status.code), headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: status.json.serialised())))
  }
}

struct FaultMiddleware<Context: RequestContext>: RouterMiddleware {
  let plan: FaultPlan

  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    let isWatch = request.uri.query?.contains("watch=1") ?? false
    if request.uri.query?.contains("sendInitialEvents=true") == true, !plan.knowsWatchLists.withLock({ $0 }) {
      return FaultPlan.answer(
        .invalid(
          kind: "ListOptions", group: "meta.k8s.io", name: "",
          causes: [
            .init(
              reason: "FieldValueForbidden",
              message:
                "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
              field: "sendInitialEvents")
          ]))
    }
    if request.method == .get, let fault = plan.fault(isWatch: isWatch) { return fault }
    return try await next(request, context)
  }
}
