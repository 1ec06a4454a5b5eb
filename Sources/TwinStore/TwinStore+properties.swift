public import DeviceKit
internal import Synchronization

extension TwinStore {
  /// The property's point, as the samples have it.
  public func point(of name: PointName) -> PointID { state.withLock { $0.points }.id(of: name) }

  /// The properties of these points as they are at one moment, in the same order; nil for what no served device has.
  public func properties(of points: [PointID]) -> [PropertyState?] {
    state.withLock { state in points.map { state.property(at: Int($0.index)) } }
  }
}

extension TwinState {
  /// Nil where no served device has the property.
  func property(at point: Int) -> PropertyState? {
    guard slots.indices.contains(point), slots[point].flags.contains(.accepts), slots[point].twin >= 0 else {
      return nil
    }
    let (twin, property) = (Int(slots[point].twin), Int(slots[point].property))
    guard let type = twins[twin].properties[property].definition?.type else { return nil }
    var wished: Value?
    switch twins[twin].properties[property].machine.phase {
    case .pending, .writing: wished = twins[twin].properties[property].machine.target
    default: break
    }
    return PropertyState(
      type: type, items: twins[twin].properties[property].definition?.items, reading: reading(at: point),
      wished: wished)
  }
}
