internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// One connection of HTTP/1.1: hands its requests to a responder one after another, and cuts those who dawdle.
///
/// A request is answered in a task of its own, which ends with the answer's head; a long body is written by another. So
/// a connection at rest has no task, and one with a watch none that has been deeper than the watch is.
///
/// Sendable because what varies is touched on the channel's event loop alone.
final class HTTPConnection: ChannelDuplexHandler, @unchecked Sendable {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart
  typealias Responder = @Sendable (Request, any Channel) async -> Response

  /// A request whose answer is not over.
  private struct Exchange {
    /// Tells it from those before it.
    let number: UInt64
    let body: RequestBodyStream?
    let version: HTTPVersion
    var keepsAlive: Bool
    var expectsContinue: Bool
    var isReceived = false
    var isAnswered = false
    /// Writes the body; cancelled when the connection closes or its server does.
    var writing: Task<Void, Never>?
  }

  private let channel: any Channel
  private let gauge: ConnectionGauge
  private let isSecure: Bool
  private let responder: Responder
  private var context: ChannelHandlerContext?
  private var exchange: Exchange?
  private var exchanges: UInt64 = 0
  /// Of requests that came before the present one was answered.
  private var waiting: [HTTPServerRequestPart] = []
  private var waitingBytes = 0
  private var isReadWithheld = false
  /// No further request will be taken: the client has ended its side, or the server shuts down.
  private var isEnding = false
  private var deadline: Scheduled<Void>?
  private var stall: Scheduled<Void>?

  init(_ channel: any Channel, gauge: ConnectionGauge, isSecure: Bool, responder: @escaping Responder) {
    self.channel = channel
    self.gauge = gauge
    self.isSecure = isSecure
    self.responder = responder
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    deadline = cutting(after: gauge.limits.headSeconds, .slowRequest)
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    deadline?.cancel()
    stall?.cancel()
    (deadline, stall, context) = (nil, nil, nil)
    exchange?.writing?.cancel()
    exchange?.body?.finish(.failure(ChannelError.eof))
    exchange = nil
    waiting = []
  }

  private func cutting(after seconds: Int64, _ cause: ConnectionGauge.Cut?) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: .seconds(seconds)) { [channel, gauge] in
      if let cause { gauge.note(cause) }
      channel.close(promise: nil)
    }
  }
}

// Requests.
extension HTTPConnection {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    guard let exchange, exchange.isReceived else { return take(part) }
    guard !isEnding else { return }
    waiting.append(part)
    waitingBytes += Self.cost(of: part)
  }

  private static func cost(of part: HTTPServerRequestPart) -> Int {
    if case .body(let buffer) = part { max(buffer.readableBytes, 64) } else { 1_024 }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if let exchange, !exchange.isReceived, deadline == nil {
      deadline = cutting(after: gauge.limits.bodySeconds, .slowRequest)
    }
    context.fireChannelReadComplete()
  }

  private func take(_ part: HTTPServerRequestPart) {
    switch part {
    case .head(let head):
      guard !isEnding else { return }
      deadline?.cancel()
      deadline = nil
      begin(head)
    case .body(let buffer): exchange?.body?.offer(buffer)
    case .end:
      deadline?.cancel()
      deadline = nil
      exchange?.body?.finish()
      exchange?.isReceived = true
      if exchange?.isAnswered == true { goOn() }
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    guard let request = HTTPRequest(head, isSecure: isSecure) else { return refuse() }
    let hasBody = head.headers.contains(name: "transfer-encoding") || head.headers.contains(name: "content-length")
    let body = hasBody ? RequestBodyStream { [weak self] in self?.demand(isFirst: $0) } : nil
    exchanges += 1
    exchange = Exchange(
      number: exchanges, body: body, version: head.version, keepsAlive: head.isKeepAlive,
      expectsContinue: head.headers["expect"].contains { $0.lowercased() == "100-continue" })
    let (version, number) = (head.version, exchanges)
    // Ends by itself with the answer's head, or with all of a short answer.
    Task { [responder, channel] in
      let body = body.map { RequestBody(asyncSequence: $0) } ?? RequestBody(buffer: ByteBuffer())
      await answer(responder(Request(head: request, body: body), channel), version, of: number)
    }
  }

  /// From the task that reads the body.
  private func demand(isFirst: Bool) {
    channel.eventLoop.execute {
      if isFirst, self.exchange?.expectsContinue == true, self.exchange?.isReceived == false {
        self.exchange?.expectsContinue = false
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        self.context?.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
      }
      self.readOn()
    }
  }

  func read(context: ChannelHandlerContext) {
    if exchange?.body?.isFull ?? false || waitingBytes >= RequestBodyStream.limit {
      isReadWithheld = true
    } else {
      context.read()
    }
  }

  private func readOn() {
    guard isReadWithheld, let context else { return }
    isReadWithheld = false
    read(context: context)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent: takeNoMore()
    case ChannelEvent.inputClosed:
      if exchange?.isReceived == false { exchange?.body?.finish(.failure(ChannelError.eof)) }
      exchange?.isReceived = true
      takeNoMore()
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  /// What is under way may end, a watch does at once.
  private func takeNoMore() {
    isEnding = true
    exchange?.writing?.cancel()
    if exchange == nil { channel.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    isEnding = true
    guard error is HTTPParserError else { return context.close(promise: nil) }
    guard exchange != nil else { return refuse() }
    exchange?.body?.finish(.failure(error))
    exchange?.isReceived = true
    exchange?.writing?.cancel()
  }

  private func refuse() {
    isEnding = true
    let headers = HTTPHeaders([("Connection", "close"), ("Content-Length", "0")])
    let head = HTTPResponseHead(version: .http1_1, status: .badRequest, headers: headers)
    guard let context else { return }
    context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.whenComplete { [channel] _ in channel.close(promise: nil) }
    context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: written)
  }
}

// Answers.
extension HTTPConnection {
  /// In the task of the request.
  private func answer(_ response: Response, _ version: HTTPVersion, of number: UInt64) async {
    let isWhole = response.body.contentLength != nil
    let writer = AnswerWriter(self, head: HTTPResponseHead(response.head, version: version), isWhole: isWhole)
    if isWhole { return await write(response.body, writer) }
    // Ends with the body, and is cancelled where the connection ends before that.
    let writing = Task { [self] in
      var writer = writer
      guard (try? await writer.begin()) != nil else { return }
      await write(response.body, writer)
    }
    channel.eventLoop.execute { [self] in
      // A short body may be written by now, and the next request be under way.
      guard exchange?.number == number, !isEnding else { return writing.cancel() }
      exchange?.writing = writing
    }
  }

  private func write(_ body: ResponseBody, _ writer: AnswerWriter) async {
    do {
      try await body.write(writer)
    } catch {
      // What lacks its end is taken for whole by nobody.
      channel.close(promise: nil)
    }
  }

  /// Writes parts of the present answer; returns when the network has taken them.
  func send(_ head: HTTPResponseHead?, _ body: ByteBuffer?, isEnd: Bool) async throws {
    let written = channel.eventLoop.makePromise(of: Void.self)
    channel.eventLoop.execute { [self] in
      guard let context, exchange != nil else { return written.fail(ChannelError.ioOnClosedChannel) }
      watch(written.futureResult, isEnd)
      if let head {
        let isAlone = body == nil && !isEnd
        context.write(Self.wrapOutboundOut(.head(completed(head))), promise: isAlone ? written : nil)
      }
      if let body { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: isEnd ? nil : written) }
      if isEnd { context.write(Self.wrapOutboundOut(.end(nil)), promise: written) }
      context.flush()
    }
    try await written.futureResult.get()
  }

  private func completed(_ head: HTTPResponseHead) -> HTTPResponseHead {
    var head = head
    if head.headers["connection"].contains(where: { $0.lowercased() == "close" }) || isEnding {
      exchange?.keepsAlive = false
    }
    if head.version != .http1_1, !head.headers.contains(name: "content-length") { exchange?.keepsAlive = false }
    if exchange?.keepsAlive == false { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    return head
  }

  /// Cuts a client that does not take what is written in time; goes on when it has taken the answer's end.
  private func watch(_ written: EventLoopFuture<Void>, _ isEnd: Bool) {
    stall?.cancel()
    stall = cutting(after: gauge.limits.stallSeconds, .stalledReader)
    written.assumeIsolated().whenSuccess { [self] in
      stall?.cancel()
      stall = nil
      if isEnd { answered() }
    }
  }

  private func answered() {
    guard exchange != nil else { return }
    exchange?.isAnswered = true
    exchange?.writing = nil
    guard exchange?.isReceived == true else {
      // The rest of the request comes first: a client that still sends would not see the answer.
      exchange?.body?.abandon()
      return readOn()
    }
    goOn()
  }

  /// The answer is written and the request read: on to the next.
  private func goOn() {
    let keepsAlive = exchange?.keepsAlive ?? false
    exchange = nil
    guard keepsAlive, !isEnding else { return channel.close(promise: nil) }
    deadline = cutting(after: gauge.limits.idleSeconds, nil)
    while exchange?.isReceived != true, !waiting.isEmpty {
      let part = waiting.removeFirst()
      waitingBytes -= Self.cost(of: part)
      take(part)
    }
    readOn()
  }
}
