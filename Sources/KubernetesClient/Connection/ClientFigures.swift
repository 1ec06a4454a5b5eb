/// What a client has asked of its server since the start, and what came of it.
public struct ClientFigures: Sendable, Hashable {
  /// A kind of request.
  public struct Call: Sendable, Hashable, Comparable {
    /// As Kubernetes names it: get, list, watch, create, update, patch or delete.
    public var verb: String
    /// The plural, with the subresource if there is one: `devices/status`.
    public var resource: String

    public init(_ verb: String, _ resource: String) {
      self.verb = verb
      self.resource = resource
    }

    public static func < (left: Call, right: Call) -> Bool {
      (left.verb, left.resource) < (right.verb, right.resource)
    }
  }

  /// What came of one kind of request.
  public struct Answers: Sendable, Hashable {
    /// By the answer's class, `2xx` to `5xx`, or `none`.
    public var counts: [String: UInt64] = [:]
    /// From the sending of each to the end of its answer, or to its failure; of a watch, to the answer's head.
    public var time = Duration.zero
    public var count: UInt64 { counts.values.reduce(0, +) }
  }

  /// Why a request was sent once more.
  public enum RetryCause: String, Sendable, CaseIterable {
    case tooManyRequests, serverError, connectionClosed, newToken
  }

  /// Why a watch is over, to be begun anew.
  public enum WatchEnd: String, Sendable, CaseIterable {
    /// By the server, in good order.
    case ended
    /// The server has forgotten the version to go on from, or never knew it: all is listed.
    case expired
    /// The connection broke, fell silent, or could not be made.
    case unreachable
    /// Any other answer.
    case refused
    /// By this side: news could not be taken.
    case abandoned
  }

  public var calls: [Call: Answers] = [:]
  public var retries: [RetryCause: UInt64] = [:]
  public var watchEnds: [WatchEnd: UInt64] = [:]
  /// Not sent, because the server was known to be away.
  public var refused: UInt64 = 0
  /// Requests that waited for their turn, so that no more than the allowed number goes out, and how long in all.
  public var delayed: UInt64 = 0
  public var delay = Duration.zero
  /// Since the server was last heard, by an answer or in a watch, or since the start.
  public var silence = Duration.zero
  /// Whether the server answered when it was last asked.
  public var isReachable = true

  public init() {}

  /// - Parameter code: of the answer; nil: there was none.
  mutating func count(_ call: Call, code: Int?, took time: Duration) {
    let kind = code.map { "\($0 / 100)xx" } ?? "none"
    calls[call, default: Answers()].counts[kind, default: 0] += 1
    calls[call, default: Answers()].time += time
  }
}
