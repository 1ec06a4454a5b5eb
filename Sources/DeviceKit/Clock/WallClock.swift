public import Documents
internal import Glibc

/// Tells the wall-clock time; injected wherever times are compared, so that tests own it.
public struct WallClock: Sendable {
  private let read: @Sendable () -> Timestamp
  public init(_ read: @escaping @Sendable () -> Timestamp) { self.read = read }
  public var now: Timestamp { read() }

  /// The system's real-time clock.
  public static let system = WallClock {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
