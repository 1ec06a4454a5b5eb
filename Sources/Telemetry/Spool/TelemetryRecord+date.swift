internal import DeviceKit
internal import Documents
internal import SinkKit

extension TelemetryRecord {
  /// The label that names the machine's start of a record whose time is not known, because the clock was never set then.
  static let bootLabel = "boot"

  /// Puts wall times in place of stamps. Where the clock was never set, its times are the least that they can be, its
  /// quality is Uncertain, and a label tells.
  mutating func date(by history: ClockHistory) {
    let shown = history.shown(time.nanoseconds)
    // By the same step: a window is as long as it was.
    windowStart = windowStart.map { Timestamp(nanoseconds: $0.nanoseconds &- time.nanoseconds &+ shown.time) }
    time = Timestamp(nanoseconds: shown.time)
    guard let boot = shown.unsetBoot else { return }
    if quality == .good { quality = .uncertain }
    series.labels[Self.bootLabel] = boot
  }
}
