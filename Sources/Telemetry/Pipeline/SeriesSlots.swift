package import DeviceKit

/// A series that a stage makes, before the stages after it have renamed it.
package struct MadeSeries: Hashable, Sendable {
  /// The place of the stage in the pipeline; the number of stages before the windows for a window's group.
  package var stage: Int
  /// The device is a group's name for a series that belongs to no device.
  package var name: PointName
  package init(stage: Int, name: PointName) {
    self.stage = stage
    self.name = name
  }
}

/// The dense slots of one pipeline's series: those of points, and those that stages make.
package struct SeriesSlots {
  /// Where a slot's samples come from.
  package enum Origin: Hashable, Sendable {
    case point(PointID)
    case made(MadeSeries)
  }

  /// The series' handles in the ``SeriesCatalogue``, by slot.
  package private(set) var handles: [UInt32] = []
  /// By slot; no point's for a made series.
  private(set) var points: [PointID] = []
  private var slotOfPoint: [PointID: Int32] = [:]
  private var made: [Int32: MadeSeries] = [:]
  private var slotOfMade: [MadeSeries: Int32] = [:]
  private static let noPoint = PointID(index: .max)

  package var count: Int { handles.count }

  package func slot(of origin: Origin) -> Int? {
    switch origin {
    case .point(let point): slotOfPoint[point].map { Int($0) }
    case .made(let series): slotOfMade[series].map { Int($0) }
    }
  }

  package func origin(of slot: Int) -> Origin {
    made[Int32(truncatingIfNeeded: slot)].map { .made($0) } ?? .point(points[slot])
  }

  /// A slot for what has none yet.
  mutating func add(_ origin: Origin) -> Int {
    let slot = Int32(truncatingIfNeeded: handles.count)
    handles.append(0)
    switch origin {
    case .point(let point):
      points.append(point)
      slotOfPoint[point] = slot
    case .made(let series):
      points.append(Self.noPoint)
      made[slot] = series
      slotOfMade[series] = slot
    }
    return Int(slot)
  }

  mutating func set(_ handle: UInt32, of slot: Int) { handles[slot] = handle }
}
