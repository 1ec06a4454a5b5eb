import HTTPClient
import KubernetesClient
import Testing

/// What decides about requests: pace, second tries, and when a server counts as away.
@Suite struct PolicyTests {
  @Test("A bucket lets its burst through and then keeps the pace")
  func bucket() {
    let start = ContinuousClock.now
    var bucket = TokenBucket(perSecond: 10, burst: 3, now: start)
    let waits = (0..<5).map { _ in bucket.take(now: start) }
    #expect(waits[0...2].allSatisfy { $0 == .zero })
    #expect(waits[3] == .milliseconds(100) && waits[4] == .milliseconds(200))
    // What has waited stands in line: a second later the line is gone and the burst is back.
    #expect(bucket.take(now: start + .seconds(10)) == .zero)
    #expect(bucket.take(now: start + .seconds(10)) == .zero)
  }

  @Test("Pauses double up to the longest, and jitter takes at most half of them")
  func backoff() {
    var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
    #expect((0..<7).map { _ in backoff.next(random: 1) } == [1, 2, 4, 8, 16, 30, 30].map { Duration.seconds($0) })
    backoff.reset()
    #expect(backoff.next(random: 0) == .milliseconds(500))
  }

  @Test("A server that is away is tried again after growing pauses, and what began before does not lengthen them")
  func reachability() {
    let start = ContinuousClock.now
    var server = Reachability()
    #expect(server.isReachable && server.pause(now: start) == nil)
    let first = server.failed("refused", now: start, random: 1)
    #expect(first && server.pause(now: start) == .seconds(1))
    let echo = server.failed("refused", now: start + .milliseconds(10), random: 1)
    #expect(!echo && server.pause(now: start) == .seconds(1))
    #expect(server.pause(now: start + .seconds(1)) == nil && !server.isReachable)
    let second = server.failed("refused", now: start + .seconds(1), random: 1)
    #expect(!second, "the same again is no news")
    #expect(server.pause(now: start + .seconds(1)) == .seconds(2))
    let other = server.failed("timeout", now: start + .seconds(4), random: 1)
    #expect(other, "another cause is")
    let back = server.succeeded()
    let still = server.succeeded()
    #expect(back && !still && server.isReachable)
  }

  private static func answer(_ status: Int, retryAfter: String? = nil) -> Result<HTTPAnswer, HTTPFault> {
    .success(HTTPAnswer(status: status, fields: retryAfter.map { [.init("retry-after", $0)] } ?? []))
  }
  private static func fault(_ reason: String) -> Result<HTTPAnswer, HTTPFault> {
    .failure(HTTPFault(reason: reason, message: ""))
  }

  @Test(
    "What can help is tried again",
    arguments: [
      (Self.answer(200), true, nil), (Self.answer(404), true, nil), (Self.answer(409), true, nil),
      (Self.answer(429), false, Duration.milliseconds(200)), (Self.answer(429, retryAfter: "3"), false, .seconds(3)),
      (Self.answer(429, retryAfter: "3600"), false, .seconds(30)), (Self.answer(500), true, .milliseconds(200)),
      (Self.answer(500), false, nil), (Self.answer(503, retryAfter: "2"), false, .seconds(2)),
      (Self.answer(504), true, nil), (Self.fault("ConnectionClosed"), true, .milliseconds(200)),
      (Self.fault("ConnectionClosed"), false, nil), (Self.fault("ConnectionRefused"), true, nil),
      (Self.fault("Timeout"), true, nil), (Self.fault("CertificateRefused"), true, nil),
    ] as [(Result<HTTPAnswer, HTTPFault>, Bool, Duration?)])
  func retries(outcome: Result<HTTPAnswer, HTTPFault>, isRepeatable: Bool, pause: Duration?) {
    let policy = RetryPolicy()
    let verdict = policy.verdict(outcome, isRepeatable: isRepeatable, attempt: 1, random: 1)
    #expect(verdict == (pause.map { .retry(after: $0) } ?? .take))
    #expect(policy.verdict(outcome, isRepeatable: isRepeatable, attempt: policy.attempts, random: 1) == .take)
  }
}
