internal import HTTPTypes
public import Hummingbird
internal import NIOCore

/// /livez, /readyz and /metrics.
public struct HealthRoutes: Sendable {
  /// Nil when everything that must run runs; else what does not. Never a device's or the cloud's state.
  private let unreadiness: @Sendable () -> String?
  private let metrics: @Sendable () async -> String

  public init(unreadiness: @escaping @Sendable () -> String?, metrics: @escaping @Sendable () async -> String) {
    self.unreadiness = unreadiness
    self.metrics = metrics
  }

  public func register(on router: Router<some RequestContext>) {
    for path in ["/livez", "/healthz"] {
      router.get(RouterPath(path)) { _, _ in HealthRoutes.text("ok") }
    }
    router.get("/readyz") { [unreadiness] _, _ in
      if let reason = unreadiness() { return HealthRoutes.text(reason, status: .serviceUnavailable) }
      return HealthRoutes.text("ok")
    }
    router.get("/metrics") { [metrics] _, _ in
      HealthRoutes.text(await metrics(), contentType: MetricsText.contentType)
    }
  }

  private static func text(
    _ text: String, status: HTTPResponse.Status = .ok, contentType: String = "text/plain; charset=utf-8"
  ) -> Response {
    Response(
      status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
