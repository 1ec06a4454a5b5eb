package import DeviceKit
package import SinkKit

extension PipelineCore {
  /// Appends the slot's state in all stages and windows: for each a blob of a version byte and what it saves, empty for
  /// none. Nothing at all where none has any. `includesWindows` false leaves out the windows'.
  package func save(slot: Int, to output: inout ByteWriter, includesWindows: Bool = true) {
    var parts: [[UInt8]] = []
    for stage in stages {
      var part = ByteWriter()
      stage.grow(to: slots.count)
      stage.save(slot: slot, to: &part)
      parts.append(part.bytes.isEmpty ? [] : [stage.stateVersion] + part.bytes)
    }
    if windows != nil, !includesWindows {
      parts.append([])
    } else if windows != nil {
      var part = ByteWriter()
      windows?.grow(to: slots.count)
      windows?.save(slot: slot, to: &part)
      parts.append(part.bytes.isEmpty ? [] : [WindowStage.stateVersion] + part.bytes)
    }
    guard parts.contains(where: { !$0.isEmpty }) else { return }
    for part in parts { output.blob(part) }
  }

  /// Makes a slot for the point and takes back what ``save(slot:to:)`` wrote under an equal specification of stages.
  /// `isTaken` false: the point's open windows are kept only to be closed.
  package func restore(
    _ point: PointID, _ admission: Admission, isTaken: Bool, from input: inout ByteReader
  ) throws(DecodingFault) {
    if isTaken { resolve(point) { _ in admission } }
    let slot = slots.slot(of: .point(point)) ?? slots.add(.point(point))
    if !isTaken { slots.set(admission.series ?? register(admission.details.description), of: slot) }
    try restore(slot: slot, from: &input)
  }

  /// Makes a slot for a series that a stage had made, and takes its state back. `description` is what receivers were
  /// told last.
  package func restore(
    _ made: MadeSeries, _ description: SeriesDescription, from input: inout ByteReader
  ) throws(DecodingFault) {
    let known = slots.slot(of: .made(made))
    let slot = known ?? slots.add(.made(made))
    if known == nil { slots.set(register(description), of: slot) }
    try restore(slot: slot, from: &input)
  }

  private func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    for stage in stages {
      guard var state = try state(from: &input, version: stage.stateVersion) else { continue }
      stage.grow(to: slots.count)
      try stage.restore(slot: slot, from: &state)
    }
    guard windows != nil, var state = try state(from: &input, version: WindowStage.stateVersion) else { return }
    windows?.grow(to: slots.count)
    try windows?.restore(slot: slot, from: &state)
  }

  /// One part's state; nil where it has none or was written in another version, which is counted.
  private func state(from input: inout ByteReader, version: UInt8) throws(DecodingFault) -> ByteReader? {
    let blob = try input.blob()
    guard let found = blob.first else { return nil }
    guard found == version else {
      forgottenStates += 1
      return nil
    }
    return ByteReader(blob, in: 1..<blob.count)
  }
}
