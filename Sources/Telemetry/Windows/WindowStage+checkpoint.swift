internal import DeviceKit

extension WindowStage {
  /// The layout of what ``save(slot:to:)`` writes. State of another version is forgotten, not read.
  package static let stateVersion: UInt8 = 1

  /// Appends the slot's watermark and open windows, oldest first.
  package func save(slot: Int, to output: inout ByteWriter) {
    let cell = table[slot]
    output.fixed(cell.closeAt)
    output.fixed(cell.skew)
    let older = pending.all(of: slot)
    output.varint(UInt64(older.count + (cell.kind == .closed ? 0 : 1)))
    for place in older {
      save(pending.window(at: place).pointee, keepsEdges ? pending.edges[Int(place)] : EdgeCell(), to: &output)
    }
    if cell.kind != .closed { save(cell, keepsEdges ? edges[slot] : EdgeCell(), to: &output) }
  }

  private func save(_ cell: WindowCell, _ edge: EdgeCell, to output: inout ByteWriter) {
    output.fixed(cell.start)
    output.fixed(cell.sum)
    output.fixed(cell.compensation)
    output.fixed(cell.minimum)
    output.fixed(cell.maximum)
    output.fixed(cell.count)
    output.byte(cell.kind.rawValue)
    output.byte(cell.quality)
    output.byte((cell.minimumIsUnsigned ? 1 : 0) | (cell.maximumIsUnsigned ? 2 : 0))
    guard keepsEdges else { return }
    output.fixed(edge.firstTime)
    output.fixed(edge.lastTime)
    output.value(
      edge.firstKind == .side
        ? shelf.value(at: edge.first) : Value(kind: edge.firstKind, payload: edge.first, side: nil))
    output.value(
      edge.lastKind == .side ? shelf.value(at: edge.last) : Value(kind: edge.lastKind, payload: edge.last, side: nil))
  }

  /// Takes back what ``save(slot:to:)`` wrote for a slot that has taken no sample.
  package mutating func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    let closeAt: Int64 = try input.fixed()
    let skew: Int64 = try input.fixed()
    let count = try input.count()
    var restored: [(WindowCell, EdgeCell)] = []
    for _ in 0..<count { restored.append(try restoreWindow(from: &input)) }
    for (index, (cell, edge)) in restored.enumerated() {
      var cell = cell
      if index == restored.count - 1 {
        (cell.closeAt, cell.skew) = (closeAt, skew)
        table[slot] = cell
        if keepsEdges { edges[slot] = edge }
        earliestDue = min(earliestDue, closeAt + skew + Self.grace)
      } else {
        let place = pending.window(of: slot, start: cell.start)
        pending.window(at: place).pointee = cell
        if keepsEdges { pending.edges[Int(place)] = edge }
      }
      countRestored(cell.count)
    }
    table[slot].closeAt = closeAt
  }

  private mutating func restoreWindow(from input: inout ByteReader) throws(DecodingFault) -> (WindowCell, EdgeCell) {
    var cell = WindowCell()
    cell.start = try input.fixed()
    cell.sum = try input.double()
    cell.compensation = try input.double()
    cell.minimum = try input.fixed()
    cell.maximum = try input.fixed()
    cell.count = try input.fixed()
    guard let kind = WindowCell.Kind(rawValue: try input.byte()), kind != .closed else { throw DecodingFault() }
    cell.kind = kind
    cell.quality = try input.byte()
    let flags = try input.byte()
    (cell.minimumIsUnsigned, cell.maximumIsUnsigned) = (flags & 1 != 0, flags & 2 != 0)
    var edge = EdgeCell()
    guard keepsEdges else { return (cell, edge) }
    edge.firstTime = try input.fixed()
    edge.lastTime = try input.fixed()
    if let first = try input.value() {
      (edge.first, edge.firstKind) = (first.isSide ? shelf.put(first) : first.payload, first.kind)
    }
    if let last = try input.value() {
      (edge.last, edge.lastKind) = (last.isSide ? shelf.put(last) : last.payload, last.kind)
    }
    return (cell, edge)
  }
}
