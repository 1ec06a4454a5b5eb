internal import Glibc
internal import Synchronization

/// The time in the form of the Date field (RFC 9110, section 5.6.7), made anew once a second.
final class HTTPDate: Sendable {
  private let latest = Mutex((second: time_t.min, text: ""))

  var text: String {
    let now = time(nil)
    return latest.withLock { latest in
      if latest.second != now { latest = (now, Self.text(of: now)) }
      return latest.text
    }
  }

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  static func text(of second: time_t) -> String {
    var second = second
    var parts = tm()
    gmtime_r(&second, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
