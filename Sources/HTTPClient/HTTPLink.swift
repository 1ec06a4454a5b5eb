internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Connections to one server, kept open between calls; HTTP/1.1, no redirects, no proxy.
///
/// It runs on the event loops that the process has anyway, and connects at the first call. Whoever makes one closes it, to
/// know when that is done; one that is let go without is closed soon after.
public final class HTTPLink: Sendable {
  /// Bounds of each call.
  public struct Limits: Sendable, Hashable {
    public var connect = Duration.seconds(10)
    /// From the call to the end of the answer; for a stream to the end of its head.
    public var total = Duration.seconds(30)
    /// The most of an answer's body that is kept.
    public var bodyBytes = 65_536
    /// Connections at a time.
    public var connections = 1
    /// After how much silence the other end is asked whether it is still there (TCP keep-alive, to the second); nil:
    /// never. For streams, which else would wait for ever on a peer that has vanished without a word.
    public var keepAlive: Duration?
    public init() {}
  }

  private let client: AsyncHTTPClient.HTTPClient
  private let limits: Limits
  /// Where a name other than the URL's host stands in the certificate.
  private let serverName: String?

  /// - Parameters:
  ///   - host: The URL's host, without brackets: where `tls.serverName` differs from it, calls go there by that name.
  public init(host: String, tls: ClientTLS? = nil, limits: Limits = Limits()) throws(HTTPFault) {
    self.limits = limits
    var configuration = AsyncHTTPClient.HTTPClient.Configuration(
      tlsConfiguration: try (tls ?? ClientTLS()).configuration(), redirectConfiguration: .disallow,
      timeout: .init(connect: .nanoseconds(limits.connect.inNanoseconds)))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.idleTimeout = .seconds(20)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, limits.connections)
    // A server that is away is told at once, with its cause; when to try again is the caller's to say.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let idle = limits.keepAlive {
      configuration.http1_1ConnectionDebugInitializer = { Self.keepAlive($0, after: idle) }
    }
    serverName = tls?.serverName.flatMap { $0 == host ? nil : $0 }
    if let serverName { configuration.dnsOverride = [serverName: host] }
    client = AsyncHTTPClient.HTTPClient(
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
  }

  deinit {
    // Outlives the link, and ends by itself once the client's connections are closed.
    Task.detached { [client] in try? await client.shutdown() }
  }

  /// Sends and returns the whole answer, whatever its status. A cancelled task's call ends with `Cancelled`.
  public func call(_ call: HTTPCall) async throws(HTTPFault) -> HTTPAnswer {
    do {
      let deadline = NIODeadline.now() + .nanoseconds(limits.total.inNanoseconds)
      let response = try await client.execute(request(call), deadline: deadline)
      var answer = HTTPAnswer(
        status: Int(response.status.code), fields: response.headers.map { HTTPCall.Field($0.name, $0.value) })
      for try await part in response.body {
        let room = limits.bodyBytes - answer.body.count
        answer.body.append(contentsOf: part.readableBytesView.prefix(room))
        // What goes beyond is of no use, and waiting for its end neither.
        if part.readableBytes > room { break }
      }
      return answer
    } catch {
      throw HTTPFault(error, connect: limits.connect, total: limits.total)
    }
  }

  /// Sends and hands each part of the answer's body to `consume` as it comes; returns at the body's end, or when
  /// `consume` says that it is enough. For bodies without an end, such as a watch. An answer that is no 2xx is returned
  /// with its body, and `consume` is not called; of any other `opened` tells before its first part comes.
  @discardableResult
  public func stream(
    _ call: HTTPCall, opened: @Sendable () async -> Void = {}, consume: @Sendable (_ part: [UInt8]) async -> Bool
  ) async throws(HTTPFault) -> HTTPAnswer {
    do {
      // The library's deadline covers the body too; a stream has none, and its head is awaited with a limit here.
      let prepared = request(call)
      let response = try await within(limits.total) { [client] in
        try await client.execute(prepared, deadline: .distantFuture)
      }
      var answer = HTTPAnswer(
        status: Int(response.status.code), fields: response.headers.map { HTTPCall.Field($0.name, $0.value) })
      let isGood = (200..<300).contains(answer.status)
      if isGood { await opened() }
      for try await part in response.body {
        if isGood {
          guard await consume(Array(part.readableBytesView)) else { break }
        } else {
          answer.body.append(contentsOf: part.readableBytesView.prefix(limits.bodyBytes - answer.body.count))
          if answer.body.count == limits.bodyBytes { break }
        }
      }
      return answer
    } catch {
      throw HTTPFault(error, connect: limits.connect, total: limits.total)
    }
  }

  /// Ends the connections; calls that are under way fail.
  public func close() async { try? await client.shutdown() }

  /// Three questions a third of `idle` apart; then the connection counts as lost (tcp(7)).
  private static func keepAlive(_ channel: any Channel, after idle: Duration) -> EventLoopFuture<Void> {
    let seconds = Int(max(1, idle.inNanoseconds / 1_000_000_000))
    let options: [(NIOBSDSocket.OptionLevel, CInt, Int)] = [
      (.socket, SO_KEEPALIVE, 1), (.tcp, TCP_KEEPIDLE, seconds), (.tcp, TCP_KEEPINTVL, max(1, seconds / 3)),
      (.tcp, TCP_KEEPCNT, 3),
    ]
    return .andAllSucceed(
      options.map { level, name, value in
        channel.setOption(
          ChannelOptions.Types.SocketOption(level: level, name: NIOBSDSocket.Option(rawValue: name)), value: value)
      }, on: channel.eventLoop)
  }

  private func request(_ call: HTTPCall) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: call.url)
    request.method = HTTPMethod(rawValue: call.method)
    for field in call.fields { request.headers.add(name: field.name, value: field.value) }
    if !call.body.isEmpty || call.method == "POST" { request.body = .bytes(ByteBuffer(bytes: call.body)) }
    guard let serverName else { return request }
    // The connection goes by the certificate's name; the server is still told the URL's own.
    let rest = call.url.drop { $0 != "/" }.dropFirst(2)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let port = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : authority[$0...] } ?? ""
    if !request.headers.contains(name: "host") { request.headers.add(name: "Host", value: String(authority)) }
    request.url = "https://\(serverName)\(port)\(rest.dropFirst(authority.count))"
    return request
  }

  private func within<Result: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit)
        throw HTTPClientError.deadlineExceeded
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }
}

extension Duration {
  var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
