import DeviceKit
import Documents
import HTTPTypes
import Hummingbird
import NIOCore
import Resources
import Synchronization

/// What an overloaded or forgetful server answers now and then, by a seeded order, instead of doing what it is asked for.
final class FaultPlan: Sendable {
  enum Fault: Sendable, CaseIterable {
    case tooManyRequests, internalError
    /// 503, with the word that it may be asked again.
    case unavailable
    /// 410; in a watch, an event that says so.
    case expired
  }
  struct Asked: Sendable {
    var isRead: Bool
    var isWatch: Bool
    /// Of one namespace, or of an object in one.
    var isInNamespace: Bool
  }
  /// What a request may be answered instead.
  typealias Menu = @Sendable (Asked) -> [Fault]

  private struct State {
    var generator = SplitMix64(seed: 1)
    var share = 0.0
    var menu: Menu = { _ in [] }
    var counts: [Fault: Int] = [:]
  }
  private let state = Mutex(State())

  /// How many requests were answered with a fault.
  var count: Int { state.withLock { $0.counts.values.reduce(0, +) } }

  /// From now on this share of the requests for which there is a fault meets with one.
  func begin(share: Double, seed: UInt64, _ menu: @escaping Menu) {
    state.withLock { state in
      state.generator = SplitMix64(seed: seed)
      state.share = share
      state.menu = menu
    }
  }

  func end() { state.withLock { $0.share = 0 } }

  /// As servers before 1.32 do.
  let knowsWatchLists = Mutex(true)

  func fault(_ request: Request, isWatch: Bool) -> Response? {
    let asked = Asked(
      isRead: request.method == .get, isWatch: isWatch, isInNamespace: request.uri.path.contains("/namespaces/"))
    let fault = state.withLock { state -> Fault? in
      guard state.share > 0, Double.random(in: 0..<1, using: &state.generator) < state.share,
        let fault = state.menu(asked).randomElement(using: &state.generator)
      else { return nil }
      state.counts[fault, default: 0] += 1
      return fault
    }
    switch fault {
    case .tooManyRequests:
      return Self.answer(
        APIStatus(code: 429, reason: "TooManyRequests", message: "too many requests", retryAfterSeconds: 0))
    case .internalError: return Self.answer(.internalError("a fault of the test"))
    case .unavailable:
      return Self.answer(
        APIStatus(code: 503, reason: "ServiceUnavailable", message: "shutting down", retryAfterSeconds: 0))
    case .expired where isWatch:
      let status = APIStatus.expired("too old resource version: 1 (2)")
      let line = "{\"type\":\"ERROR\",\"object\":\(status.json)}\n"
      return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: line)))
    case .expired: return Self.answer(.expired("the list is too old"))
    case nil: return nil
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
    if let fault = plan.fault(request, isWatch: isWatch) { return fault }
    return try await next(request, context)
  }
}
