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
          await response(to: request, from: context.knownPeer())
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
    let encoding = AnswerEncoding(acceptEncoding: fields[.acceptEncoding] ?? "")
    let response = await Response(await reply(to: call), encoding)
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
  /// The HTTP form of a reply. A watch ends with its time, its stream, or the task that writes it.
  init(_ reply: APIReply, _ encoding: AnswerEncoding) async {
    var fields = Self.fields(of: reply)
    let body: ResponseBody
    switch reply.body {
    case .bytes(let bytes): body = encoding.body(bytes, &fields)
    case .list(let list):
      do {
        body = try await encoding.body(list, &fields)
      } catch {
        self.init(.failure(error))
        return
      }
    case .watch(let watch): body = Self.body(of: watch)
    }
    self.init(status: HTTPResponse.Status(code: reply.code), headers: fields, body: body)
  }

  /// The HTTP form of a failure.
  init(_ reply: APIReply) {
    var bytes: [UInt8] = []
    if case .bytes(let held) = reply.body { bytes = held }
    self.init(
      status: HTTPResponse.Status(code: reply.code), headers: Self.fields(of: reply),
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private static func fields(of reply: APIReply) -> HTTPFields {
    var fields = HTTPFields()
    if !reply.contentType.isEmpty { fields[.contentType] = reply.contentType }
    for header in reply.headers {
      if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
    }
    return fields
  }

  private static func body(of watch: WatchBody) -> ResponseBody {
    ResponseBody { writer in
      watch.gauge.enter()
      defer { watch.gauge.leave() }
      try await withTimeLimit(watch.timeLimit) {
        var lines = watch.makeLines()
        while let line = await lines.next() { try await writer.write(ByteBuffer(bytes: line)) }
      }
      try await writer.finish(nil)
    }
  }
}
