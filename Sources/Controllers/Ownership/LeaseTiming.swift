/// How long Leases last, and what follows from that.
public struct LeaseTiming: Sendable, Hashable {
  /// From a gateway's last renewal until others may take what it held. Whole seconds; the same for all gateways.
  public var duration: Duration

  public init(duration: Duration = .seconds(30)) { self.duration = duration }

  /// How often a gateway renews its Lease, and looks at those of its neighbours; up to a tenth more or less, by chance.
  public var renewEvery: Duration { duration / 3 }
  /// When a request that failed is tried again.
  public var retryAfter: Duration { duration / 15 }
  /// How long a request may take.
  public var requestTimeout: Duration { duration / 5 }
  /// What remains between the end of the holder's last write and the first moment at which another may write: for
  /// clocks that do not run alike.
  public var margin: Duration { duration / 10 }
  /// How long a gateway waits for each other that has more reason to take a free group.
  public var rankStep: Duration { duration / 30 }
  /// How often a gateway that serves less than others asks for more.
  public var balanceEvery: Duration { duration / 3 }
}
