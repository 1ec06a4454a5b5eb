internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// GET /selvedge/v1/backup: the gateway's resources and twins as one archive. For administrators: it holds everything.
struct BackupRoutes {
  static let path = "/selvedge/v1/backup"
  let backup: GatewayBackup
  /// Puts on disk what the twins still hold in memory.
  let flush: @Sendable () async -> Void
  let logger: Logger

  func register(on router: Router<some RequestContext>) {
    router.get(RouterPath(Self.path)) { [backup, flush, logger] _, _ in
      await flush()
      let descriptor: Int32
      do {
        descriptor = try await backup.open()
      } catch {
        logger.error("no backup was made", metadata: ["error": "\(error)"])
        return Response(
          status: HTTPResponse.Status(code: 507), headers: [.contentType: "text/plain; charset=utf-8"],
          body: ResponseBody(byteBuffer: ByteBuffer(string: "\(error)\n")))
      }
      let file = OpenFile(descriptor: descriptor)
      return Response(
        status: .ok,
        headers: [
          .contentType: "application/vnd.sqlite3",
          .contentDisposition: #"attachment; filename="selvedge.backup""#,
        ],
        body: ResponseBody { writer in
          while true {
            let piece = try await backup.read(file.descriptor)
            if piece.isEmpty { break }
            try await writer.write(ByteBuffer(bytes: piece))
          }
          try await writer.finish(nil)
        })
    }
  }
}
