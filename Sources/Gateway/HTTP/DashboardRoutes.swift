internal import HTTPTypes
public import Hummingbird
internal import NIOCore

/// The first page: devices, their values, wishes and conditions, live.
public struct DashboardRoutes: Sendable {
  public init() {}

  public func register(on router: Router<some RequestContext>) {
    router.get("/") { _, _ in
      Response(
        status: .ok,
        headers: [
          .contentType: "text/html; charset=utf-8", .cacheControl: "no-cache",
          .contentSecurityPolicy:
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'",
        ],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.index_html)))
    }
  }
}
