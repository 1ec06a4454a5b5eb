/// How a client behaves towards its server.
public struct ClientTuning: Sendable, Hashable {
  /// Requests a second, and how many may be saved up.
  public var requestsPerSecond = 20.0
  public var burst = 40.0
  /// How often one request is sent, where that can help.
  public var attempts = 5
  /// How long a connection may take.
  public var connectTimeout = Duration.seconds(5)
  /// How long an answer may take, and the head of a watch.
  public var answerTimeout = Duration.seconds(20)
  /// How long the server is asked to keep a watch; chosen at random in between, so that they do not all end together.
  public var shortestWatch = Duration.seconds(300)
  public var longestWatch = Duration.seconds(600)
  /// How much longer a watch may take before it counts as broken.
  public var watchGrace = Duration.seconds(15)
  /// After how much silence the other end of a connection is asked whether it is still there (TCP keep-alive).
  public var keepAlive = Duration.seconds(30)
  /// How many objects are asked for at a time.
  public var pageSize = 250
  /// The most that one object, or an answer that is no list, may take.
  public var maximumObjectBytes = 8 << 20
  /// Whether a list is asked for as a watch where the server offers that.
  public var usesWatchList = true
  /// The first and the longest pause of a follower whose watch has broken.
  public var firstPause = Duration.milliseconds(500)
  public var longestPause = Duration.seconds(30)
  /// How often Secrets are looked at again.
  public var secretPeriod = Duration.seconds(600)
  public init() {}
}
