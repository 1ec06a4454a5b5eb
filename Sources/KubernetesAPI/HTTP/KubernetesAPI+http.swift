internal import HTTPTypes
public import Hummingbird
internal import Logging
internal import NIOCore
internal import Resources

extension KubernetesAPI {
  /// Adds the routes /api, /apis, /openapi and /version with all that is below them, and a middleware that makes errors
  /// under these paths a Status. Call it once; the order among other routes does not matter.
  public func register<Context: RequestContext>(on router: Router<Context>) {
    router.add(middleware: StatusMiddleware<Context>())
    let paths: [RouterPath] = ["/api", "/api/**", "/apis", "/apis/**", "/openapi/**", "/version", "/version/**"]
    for path in paths {
      for method in Self.methods {
        router.on(path, method: method) { request, context in
          let peer = await context.knownPeer()
          return await inTaskOfItsOwn { await response(to: request, from: peer) }
        }
      }
    }
  }

  /// Those that a route stands for; any other is refused with 405.
  static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]

  private func response(to request: Request, from peer: Peer) async -> Response {
    let isHead = request.method == .head
    let fields = request.headers
    var call = APICall(
      method: isHead ? .get : APICall.Method(rawValue: request.method.rawValue), path: request.uri.path,
      query: APIQuery(request.uri.query ?? ""), accept: fields[.accept] ?? "",
      contentType: fields[.contentType] ?? "", userAgent: fields[.userAgent] ?? "",
      authority: request.head.authority ?? "", ifNoneMatch: fields[.ifNoneMatch] ?? "",
      user: .anonymous, source: peer.address)
    do throws(APIStatus) {
      if let refusal = requestGuard.refusal(of: request.head) { throw refusal }
      call.user = try access.user(of: request.head, peer)
      // Before the body is read: nobody else may make the gateway hold one.
      try access.authorize(call.user, AccessAttributes(call))
    } catch {
      return refusal(error, of: call)
    }
    if call.method != .get {
      if let length = fields[.contentLength].flatMap({ Int($0) }), length > Self.maximumBodySize {
        return Response(.failure(.bodyTooLarge))
      }
      do {
        call.body = Array(buffer: try await request.body.collect(upTo: Self.maximumBodySize))
      } catch is NIOTooManyBytesError {
        return Response(.failure(.bodyTooLarge))
      } catch {
        logger.debug("the body of a request broke off", metadata: ["error": "\(error)"])
        return Response(.failure(.badRequest("the body of the request broke off")))
      }
    }
    let response = Response(await reply(to: call), watchedBy: request)
    return isHead ? response.createHeadResponse() : response
  }

  /// Of a call that is refused before anybody asks what it is; a write goes on record all the same.
  private func refusal(_ status: APIStatus, of call: APICall) -> Response {
    let attributes = AccessAttributes(call)
    if attributes.isWrite { trail(of: call, attributes).close(code: status.code, reason: status.reason) }
    return Response(.failure(status))
  }
}

extension Response {
  /// The HTTP form of a reply that holds all of its body.
  init(_ reply: APIReply) { self.init(reply, watchedBy: nil) }

  /// - Parameter request: the request whose connection a watch lives on.
  init(_ reply: APIReply, watchedBy request: Request?) {
    var fields = HTTPFields()
    if !reply.contentType.isEmpty { fields[.contentType] = reply.contentType }
    for header in reply.headers {
      if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
    }
    let body: ResponseBody
    switch reply.body {
    case .bytes(let bytes): body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    case .list(let list):
      body = ResponseBody { writer in
        var list = list
        while let piece = try await list.next() { try await writer.write(ByteBuffer(bytes: piece)) }
        try await writer.finish(nil)
      }
    case .watch(let watch):
      body = ResponseBody { writer in
        if let request {
          watch.gauge.enter()
          defer { watch.gauge.leave() }
          try await request.body.consumeWithCancellationOnInboundClose { _ in
            try await withTimeLimit(watch.timeLimit) {
              var lines = watch.makeLines()
              while let line = await lines.next() { try await writer.write(ByteBuffer(bytes: line)) }
            }
          }
        }
        try await writer.finish(nil)
      }
    }
    self.init(status: HTTPResponse.Status(code: reply.code), headers: fields, body: body)
  }
}
