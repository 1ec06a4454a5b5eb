package import DeviceKit
internal import SinkKit

extension PipelineCore {
  /// Asks whether the point is taken, and tells the stages what it is.
  func resolve(_ point: PointID, _ admit: (PointID) -> Admission?) {
    let index = Int(point.index)
    if index >= slotTable.count {
      slotTable.append(contentsOf: repeatElement(-2, count: index + 1 - slotTable.count))
    }
    guard let admission = admit(point) else {
      slotTable[index] = -1
      return
    }
    let slot = slots.slot(of: .point(point)) ?? slots.add(.point(point))
    describe(slot, admission.details, from: 0, handle: admission.series)
    slotTable[index] = Int32(truncatingIfNeeded: slot)
  }

  /// The slot of a series that the stage makes, told to the stages that follow.
  func slot(madeBy stage: Int, _ details: SeriesDetails) -> Int {
    let name = PointName(device: details.description.device, property: details.description.property)
    let origin = SeriesSlots.Origin.made(MadeSeries(stage: stage, name: name))
    let slot = slots.slot(of: origin) ?? slots.add(origin)
    describe(slot, details, from: stage + 1, handle: nil)
    return slot
  }

  private func describe(_ slot: Int, _ details: SeriesDetails, from first: Int, handle: UInt32?) {
    var details = details
    for stage in stages.dropFirst(first) {
      stage.grow(to: slot + 1)
      stage.describe(slot: slot, &details)
    }
    slots.set(handle ?? register(details.description), of: slot)
    if first <= stages.count { group(slot, details) }
  }

  /// Puts a series into its group where windows are of groups.
  private func group(_ slot: Int, _ details: SeriesDetails) {
    guard windows?.groups != nil else { return }
    var group: Int32?
    if let shared = windows?.groups?.details(of: details) {
      group = SeriesMaker(core: self, stage: stages.count).slot(of: shared)
    }
    windows?.groups?.join(slot, group)
  }

  /// Asks again for these points: labels, models or ranges have changed. What stages and windows hold of points that the
  /// pipeline no longer takes comes out.
  package func invalidate(_ points: [PointID], into output: inout RecordRows, admit: (PointID) -> Admission?) {
    for point in points where Int(point.index) < slotTable.count {
      slotTable[Int(point.index)] = -2
      guard let slot = slots.slot(of: .point(point)) else { continue }
      resolve(point, admit)
      if slotTable[Int(point.index)] < 0 { flush(slot: slot, into: &output) }
    }
  }
}
