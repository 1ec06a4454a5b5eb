internal import CClockState
public import Documents
internal import Glibc

extension GatewayClock {
  /// The machine's clock.
  ///
  /// - Parameters:
  ///   - history: As it was kept at the last stop.
  ///   - earliest: A wall time that has been for sure.
  ///   - offsetFile: For tests: the path of a file with a number of seconds that the wall clock is to be ahead (or,
  ///     below zero, behind). It is read anew with every reading; the machine's own clock is not touched.
  public static func system(
    history: ClockHistory = ClockHistory(), earliest: Timestamp, offsetFile: String? = nil
  ) -> GatewayClock {
    GatewayClock(
      boot: bootID(), history: history, earliest: earliest,
      read: {
        var reading = systemReading()
        if let offsetFile { reading.wall &+= offset(in: offsetFile) }
        return reading
      },
      sinceBoot: { nanoseconds(CLOCK_BOOTTIME) })
  }

  private static func nanoseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Both clocks at one moment: between two readings of the one that are less than a millisecond apart, if that can be
  /// had.
  private static func systemReading() -> ClockReading {
    var best = ClockReading(wall: 0, boot: 0, isSynchronised: (0..<5).contains(clock_state()))
    var narrowest = Int64.max
    for _ in 0..<8 {
      let before = nanoseconds(CLOCK_BOOTTIME)
      let wall = nanoseconds(CLOCK_REALTIME)
      let after = nanoseconds(CLOCK_BOOTTIME)
      if after - before < narrowest {
        narrowest = after - before
        (best.wall, best.boot) = (wall, before + (after - before) / 2)
      }
      if narrowest < 1_000_000 { break }
    }
    return best
  }

  private static func bootID() -> String {
    text(of: "/proc/sys/kernel/random/boot_id") ?? "unknown"
  }

  private static func offset(in path: String) -> Int64 {
    guard let seconds = text(of: path).flatMap({ Double($0) }), seconds.magnitude < 4e9 else { return 0 }
    return Int64(seconds * 1e9)
  }

  /// The first line of a small file.
  private static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
      count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
    }
    let line = bytes.prefix { $0 > 0x20 }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }
}
