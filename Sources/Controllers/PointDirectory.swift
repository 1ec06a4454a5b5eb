public import DeviceKit
public import SinkKit
internal import Synchronization

/// What the served points are called and belong to: the telemetry's view of the Devices.
public final class PointDirectory: Sendable {
  private struct Entry {
    var series: SeriesDescription
    var range: ClosedRange<Double>?
  }
  private let entries = Mutex<[PointID: Entry]>([:])

  public init() {}

  public func series(of point: PointID) -> SeriesDescription? { entries.withLock { $0[point]?.series } }

  /// The property's bounds, where the model gives both.
  public func range(of point: PointID) -> ClosedRange<Double>? { entries.withLock { $0[point]?.range } }

  func set(_ point: PointID, _ series: SeriesDescription, range: ClosedRange<Double>?) {
    entries.withLock { $0[point] = Entry(series: series, range: range) }
  }

  func remove(_ points: [PointID]) {
    entries.withLock { entries in
      for point in points { entries[point] = nil }
    }
  }
}
