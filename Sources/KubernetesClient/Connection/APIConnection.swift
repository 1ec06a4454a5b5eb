internal import Documents
internal import HTTPClient
internal import Logging
internal import Resources
internal import Synchronization

/// The connections to one API server: credentials that are read anew as they change, the pace at which requests go out,
/// and second tries.
///
/// While the server is away, calls are refused at once, with what was wrong, until the next try is due.
final class APIConnection: Sendable {
  /// One set of connections with the credentials that they were made for.
  private struct Links {
    var tls: ClientTLS?
    var calls: HTTPLink
    /// Apart: a watch keeps its connection.
    var watches: HTTPLink
    var checked: ContinuousClock.Instant
  }

  private struct State {
    var bucket: TokenBucket
    var reachability = Reachability()
    var links: Links?
    var token: (text: String, read: ContinuousClock.Instant)?
    var figures = ClientFigures()
    /// When the server was last heard, or the client made.
    var heard = ContinuousClock.now
  }

  let access: ClusterAccess
  let tuning: ClientTuning
  private let policy: RetryPolicy
  private let userAgent: String
  private let logger: Logger
  private let state: Mutex<State>

  /// How long a file's content counts before the file is read again.
  private static let credentialAge = Duration.seconds(30)

  init(_ access: ClusterAccess, tuning: ClientTuning, userAgent: String, logger: Logger) {
    self.access = access
    self.tuning = tuning
    self.userAgent = userAgent
    var policy = RetryPolicy()
    policy.attempts = tuning.attempts
    self.policy = policy
    self.logger = logger
    state = Mutex(
      State(bucket: TokenBucket(perSecond: tuning.requestsPerSecond, burst: tuning.burst, now: .now)))
  }

  var isReachable: Bool { state.withLock { $0.reachability.isReachable } }
  var figures: ClientFigures {
    state.withLock { state in
      var figures = state.figures
      figures.silence = ContinuousClock.now - state.heard
      figures.isReachable = state.reachability.isReachable
      return figures
    }
  }

  /// Whether the credentials can be read: what only the person who starts the program can mend.
  func check() throws(ClusterAccessError) {
    do throws(HTTPFault) {
      _ = try links()
    } catch {
      throw ClusterAccessError("\(access.origin): \(error.message)")
    }
    if access.token != nil, token() == nil { throw ClusterAccessError("\(access.origin): the token cannot be read") }
  }

  func close() async {
    let links = state.withLock { state in
      defer { state.links = nil }
      return state.links
    }
    await links?.calls.close()
    await links?.watches.close()
  }

  /// Sends, with second tries where these can help. The answer is a success; anything else is thrown.
  func send(_ request: APIRequest) async throws(APIStatus) -> HTTPAnswer {
    var attempt = 0
    while true {
      attempt += 1
      try await admit()
      let began = ContinuousClock.now
      let outcome: Result<HTTPAnswer, HTTPFault>
      do throws(HTTPFault) {
        outcome = .success(try await links().calls.call(call(request)))
      } catch {
        outcome = .failure(error)
      }
      note(outcome)
      count(request, outcome, since: began)
      let verdict = policy.verdict(
        outcome, isRepeatable: request.isRepeatable, attempt: attempt, random: .random(in: 0...1))
      if case .retry(let pause) = verdict {
        note(retry: Self.cause(outcome))
        do { try await Task.sleep(for: pause) } catch { throw .unreachable("the request was given up") }
        continue
      }
      if case .success(let answer) = outcome, answer.status == 401, attempt == 1, hasNewToken() {
        note(retry: .newToken)
        continue
      }
      return try success(outcome)
    }
  }

  /// Sends once and hands the body on as it comes, until its end or until `consume` says that it is enough. `isWatch`
  /// streams have connections of their own.
  func stream(
    _ request: APIRequest, isWatch: Bool, opened: @Sendable () async -> Void = {},
    consume: @Sendable ([UInt8]) async -> Bool
  ) async throws(APIStatus) {
    var isSecond = false
    while true {
      try await admit()
      let began = ContinuousClock.now
      let isOpen = Mutex(false)
      let outcome: Result<HTTPAnswer, HTTPFault>
      do throws(HTTPFault) {
        let links = try links()
        outcome = .success(
          try await (isWatch ? links.watches : links.calls).stream(
            call(request),
            opened: {
              // A watch ends in minutes: that there is an answer is known now.
              self.noteAnswer()
              if isWatch {
                isOpen.withLock { $0 = true }
                self.count(request, code: 200, since: began)
              }
              await opened()
            },
            consume: { part in
              self.state.withLock { $0.heard = .now }
              return await consume(part)
            }))
      } catch {
        outcome = .failure(error)
      }
      note(outcome)
      if !isOpen.withLock({ $0 }) { count(request, outcome, since: began) }
      if case .success(let answer) = outcome, answer.status == 401, !isSecond, hasNewToken() {
        note(retry: .newToken)
        isSecond = true
        continue
      }
      _ = try success(outcome)
      return
    }
  }

  private func success(_ outcome: Result<HTTPAnswer, HTTPFault>) throws(APIStatus) -> HTTPAnswer {
    switch outcome {
    case .failure(let fault): throw .unreachable("\(access.peer) gives no answer: \(fault.message)")
    case .success(let answer):
      guard (200..<300).contains(answer.status) else { throw APIStatus(answer: answer) }
      return answer
    }
  }

  /// Waits for this request's turn; refused while the server is away.
  private func admit() async throws(APIStatus) {
    let now = ContinuousClock.now
    let (wait, away) = state.withLock { state -> (Duration, String?) in
      if let pause = state.reachability.pause(now: now) {
        state.figures.refused += 1
        return (.zero, "\(state.reachability.cause); tried again in \(pause.components.seconds + 1) s")
      }
      let wait = state.bucket.take(now: now)
      if wait > .zero {
        state.figures.delayed += 1
        state.figures.delay += wait
      }
      return (wait, nil)
    }
    if let away { throw .unreachable("\(access.peer) is away: \(away)") }
    guard wait > .zero else { return }
    do { try await Task.sleep(for: wait) } catch { throw .unreachable("the request was given up") }
  }

  private func note(_ outcome: Result<HTTPAnswer, HTTPFault>) {
    switch outcome {
    case .success: noteAnswer()
    // A connection that ends is no sign that a new one cannot be made.
    case .failure(let fault) where fault.reason != "Cancelled" && fault.reason != "ConnectionClosed":
      let isNews = state.withLock {
        $0.reachability.failed(fault.message, now: .now, random: .random(in: 0...1))
      }
      guard isNews else { return }
      logger.warning(
        "\(access.peer) cannot be reached: what is known of it has to do",
        metadata: ["server": "\(access.server)", "reason": "\(fault.reason)", "error": "\(fault.message)"])
    case .failure: break
    }
  }

  private func noteAnswer() {
    let isNews = state.withLock { state in
      state.heard = .now
      return state.reachability.succeeded()
    }
    guard isNews else { return }
    logger.notice("\(access.peer) answers again", metadata: ["server": "\(access.server)"])
  }

  // MARK: Figures

  private static func cause(_ outcome: Result<HTTPAnswer, HTTPFault>) -> ClientFigures.RetryCause {
    guard case .success(let answer) = outcome else { return .connectionClosed }
    return answer.status == 429 ? .tooManyRequests : .serverError
  }

  /// A request is sent once more.
  func note(retry cause: ClientFigures.RetryCause) { state.withLock { $0.figures.retries[cause, default: 0] += 1 } }

  /// A watch is over, to be begun anew.
  func note(watchEnd cause: ClientFigures.WatchEnd) { state.withLock { $0.figures.watchEnds[cause, default: 0] += 1 } }

  private func count(
    _ request: APIRequest, _ outcome: Result<HTTPAnswer, HTTPFault>, since began: ContinuousClock.Instant
  ) {
    // What is given up on this side tells nothing of the server.
    if case .failure(let fault) = outcome, fault.reason == "Cancelled" { return }
    count(request, code: (try? outcome.get())?.status, since: began)
  }

  private func count(_ request: APIRequest, code: Int?, since began: ContinuousClock.Instant) {
    state.withLock { $0.figures.count(request.call, code: code, took: .now - began) }
  }

  private func call(_ request: APIRequest) -> HTTPCall {
    var fields = [HTTPCall.Field("Accept", "application/json"), HTTPCall.Field("User-Agent", userAgent)]
    if !request.contentType.isEmpty { fields.append(HTTPCall.Field("Content-Type", request.contentType)) }
    if let user = access.proxy.map({ request.user ?? $0 }) {
      fields.append(HTTPCall.Field("X-Remote-User", user.name))
      fields += user.groups.map { HTTPCall.Field("X-Remote-Group", $0) }
    }
    if let token = token() { fields.append(HTTPCall.Field("Authorization", "Bearer \(token)")) }
    return HTTPCall(request.method, access.server + request.target, fields: fields, body: request.body)
  }

  // MARK: Credentials

  private func token() -> String? {
    let now = ContinuousClock.now
    let known = state.withLock { $0.token }
    if let known, now - known.read < Self.credentialAge { return known.text }
    // While the file is being replaced, the old token is better than none.
    guard let text = Self.bytes(access.token).map({ String(decoding: $0, as: UTF8.self).trimmed }), !text.isEmpty
    else { return known?.text }
    state.withLock { $0.token = (text, now) }
    return text
  }

  /// Reads the token again; whether it is another one.
  private func hasNewToken() -> Bool {
    let old = state.withLock { state in
      defer { state.token = nil }
      return state.token?.text
    }
    return token() != old
  }

  private static func bytes(_ source: ClusterAccess.Source?) -> [UInt8]? {
    switch source {
    case .bytes(let bytes): bytes
    case .file(let path): FileContent.bytes(path)
    case nil: nil
    }
  }

  private func links() throws(HTTPFault) -> Links {
    let now = ContinuousClock.now
    if let links = state.withLock({ $0.links }), now - links.checked < Self.credentialAge { return links }
    let tls = access.isSecure ? try clientTLS() : nil
    if let links = state.withLock({ state -> Links? in
      guard state.links?.tls == tls else { return nil }
      state.links?.checked = now
      return state.links
    }) {
      return links
    }
    var limits = HTTPLink.Limits()
    limits.connect = tuning.connectTimeout
    limits.total = tuning.answerTimeout
    limits.bodyBytes = tuning.maximumObjectBytes
    limits.keepAlive = tuning.keepAlive
    limits.connections = 16
    let calls = try HTTPLink(host: access.host, tls: tls, limits: limits)
    limits.connections = 32
    let watches = try HTTPLink(host: access.host, tls: tls, limits: limits)
    let made = Links(tls: tls, calls: calls, watches: watches, checked: now)
    let (current, stale) = state.withLock { state -> (Links, Links?) in
      // Two calls that came at once made two: one stays.
      if let links = state.links, links.tls == tls { return (links, made) }
      defer { state.links = made }
      return (made, state.links)
    }
    // Ends by itself: nothing new goes that way, and what is under way there fails and is asked anew.
    if let stale {
      Task {
        await stale.calls.close()
        await stale.watches.close()
      }
    }
    return current
  }

  private func clientTLS() throws(HTTPFault) -> ClientTLS {
    func read(_ source: ClusterAccess.Source?, _ what: String) throws(HTTPFault) -> [UInt8]? {
      guard let source else { return nil }
      guard let bytes = Self.bytes(source) else {
        throw HTTPFault(reason: "InvalidTLS", message: "\(what) cannot be read")
      }
      return bytes
    }
    return ClientTLS(
      authorities: try read(access.authorities, "the cluster's certificate authority"),
      certificates: try read(access.certificate, "the client certificate"),
      key: try read(access.key, "the client's key"), serverName: access.serverName, verifies: access.verifies)
  }
}
