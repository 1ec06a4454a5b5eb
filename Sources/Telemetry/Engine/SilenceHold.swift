/// Keeps windows of silent series open while samples are on their way that came to a stop before the gateway: after a
/// link was lost or the gateway started, a broker hands over what it kept, with its old times.
///
/// Pure; times in nanoseconds since 1970. A link that never comes back, or comes and goes, keeps nothing open for longer
/// than ``longest``, and then for as long again the clock closes windows as usual.
struct SilenceHold {
  static let longest: Int64 = 60_000_000_000
  /// From the moment at which samples can flow again.
  static let afterwards: Int64 = 10_000_000_000

  private var brokenLinks = 0
  private var beganAt: Int64?
  private var until = Int64.min

  /// Samples have been held up and come from now on: the gateway has started, or the disk takes the journal again.
  mutating func flowBegins(at now: Int64) { extend(to: now + Self.afterwards, at: now) }

  /// Takes how many links were lost and have come back since the last call, and says whether windows are kept open.
  mutating func isHolding(lost: Int, restored: Int, at now: Int64) -> Bool {
    if let beganAt, now < beganAt { (self.beganAt, until) = (nil, .min) }
    brokenLinks = max(0, brokenLinks + lost - restored)
    if lost > 0 { extend(to: now + Self.longest, at: now) }
    if restored > 0, brokenLinks == 0 { until = min(until, now + Self.afterwards) }
    guard let beganAt else { return false }
    if now >= until {
      if now - beganAt >= 2 * Self.longest || until - beganAt < Self.longest { self.beganAt = nil }
      return false
    }
    return true
  }

  private mutating func extend(to time: Int64, at now: Int64) {
    let began = beganAt ?? now
    beganAt = began
    until = max(until, min(time, began + Self.longest))
  }
}
