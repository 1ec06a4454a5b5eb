import DeviceKit
import Documents
import NIOCore

/// One client of a server. Its requests are answered one after another, in their order; while one waits for the twins, or
/// the client does not take its answers, nothing more is read of it.
///
/// Unchecked: it is made and touched on the server's loop alone.
final class ServerConnection: ChannelDuplexHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let face: ServerFace
  private let author: String
  private var context: ChannelHandlerContext?
  private var parser = MBAPFrameParser()
  /// When the last whole request came; before the first, when the connection was made.
  private(set) var lastRequest = NIODeadline.now()
  /// Since when a request has been there in part.
  private var frameStart: NIODeadline?
  private var isBusy = false
  private var isServing = false
  private var wantsRead = false
  private var timer: Scheduled<Void>?

  init(_ face: ServerFace, author: String) {
    self.face = face
    self.author = author
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    setTimer()
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  private func leave() {
    context = nil
    timer?.cancel()
    timer = nil
    face.ended(self)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Lets the client go; nil: for no fault of its own.
  func end(_ cause: ServerCounters.Event?) {
    guard let context else { return }
    if let cause { face.counters.count(cause) }
    leave()
    context.close(promise: nil)
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    parser.append(unwrapInboundIn(data).readableBytesView)
    serve()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    serve()
    context.fireChannelWritabilityChanged()
  }

  func read(context: ChannelHandlerContext) {
    if isBusy || !context.channel.isWritable { wantsRead = true } else { context.read() }
  }

  /// Answers what is there, as far as it can be.
  private func serve() {
    guard !isServing else { return }
    isServing = true
    defer { isServing = false }
    // What the flush sends makes room for more.
    while answerFrames() { context?.flush() }
    guard let context else { return }
    if !isBusy, parser.isInsideFrame, frameStart == nil {
      frameStart = .now()
      setTimer()
    }
    if wantsRead, !isBusy, context.channel.isWritable {
      wantsRead = false
      context.read()
    }
  }

  /// Answers whole requests until there is none, one waits, or the client's answers do; whether there was any.
  private func answerFrames() -> Bool {
    var hasAnswered = false
    while !isBusy, let context, context.channel.isWritable {
      let frame: MBAPFrame?
      do throws(MBAPError) {
        frame = try parser.next()
      } catch {
        if hasAnswered { context.flush() }
        end(.malformed)
        return false
      }
      guard let frame else { break }
      lastRequest = .now()
      frameStart = nil
      isBusy = true
      face.answer(frame.pdu, unit: frame.unit, author: author) { [self] pdu in
        isBusy = false
        let answer = MBAPFrame(transaction: frame.transaction, unit: frame.unit, pdu: pdu[...])
        guard let context = self.context else { return }
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: answer.bytes)), promise: nil)
        guard !isServing else { return }
        context.flush()
        lastRequest = .now()
        serve()
      }
      hasAnswered = true
    }
    return hasAnswered
  }

  // MARK: Patience

  /// When the client is let go unless something comes before.
  private var due: NIODeadline {
    let idle = lastRequest + .nanoseconds(face.settings.idleTimeout.nanoseconds)
    guard let frameStart else { return idle }
    return min(idle, frameStart + .nanoseconds(face.settings.frameTimeout.nanoseconds))
  }

  /// A timer is left alone where a request has made it needless: what it then does is set the next one.
  private func setTimer() {
    timer?.cancel()
    timer = face.loop.scheduleTask(deadline: due) { [weak self] in
      guard let self, self.context != nil else { return }
      let now = NIODeadline.now()
      if self.isBusy { self.lastRequest = now }
      guard now >= self.due else { return self.setTimer() }
      self.end(self.frameStart != nil ? .slow : .idle)
    }
  }
}
