import Glibc

/// The time at which this process asked first, so that all records of a test run share one scale.
enum MonotonicStart {
  static let secondsSince1970 = Int64(Glibc.time(nil))
}
