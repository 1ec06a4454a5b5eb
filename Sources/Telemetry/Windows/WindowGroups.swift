internal import DeviceKit
internal import Documents
internal import SinkKit

/// Which series share windows, and how far each group's time has come: as far as its slowest series, so that none is
/// late because another is ahead. A series that falls silent holds its group up only until the gateway's clock closes a
/// window; then it counts again from its next sample.
struct WindowGroups {
  private let dimensions: [PipelineSpecification.Aggregate.Dimension]
  /// By the series' slot; -1: in no group.
  private var groupOf: [Int32] = []
  /// The newest time by the series' slot; `Int64.min`: silent.
  private var newest: [Int64] = []
  private var groups: [Int32: Group] = [:]

  private struct Group {
    var members: [Int32] = []
    /// The series that is furthest behind, and where it is.
    var slowest: Int32 = -1
    var mark = Int64.min
  }

  init(_ dimensions: [PipelineSpecification.Aggregate.Dimension]) { self.dimensions = dimensions }

  /// What the group of a series is called; nil for a series without a label that it goes by.
  func details(of member: SeriesDetails) -> SeriesDetails? {
    let series = member.description
    var group = SeriesDescription(
      node: series.node, device: DeviceKey(namespace: series.device.namespace, name: ""), property: "all")
    var names: [String] = []
    for dimension in dimensions {
      switch dimension {
      case .property: (group.property, group.unit) = (series.property, series.unit)
      case .device: (group.device, group.model, group.labels) = (series.device, series.model, series.labels)
      case .label(let key):
        guard let value = series.labels[key], !value.isEmpty else { return nil }
        group.labels[key] = value
        names.append("\(key)=\(value)")
      }
    }
    if group.device.name.isEmpty {
      let name = names.isEmpty ? "all" : names.joined(separator: ",")
      group.device = DeviceKey(namespace: series.device.namespace, name: name)
    }
    return SeriesDetails(group)
  }

  /// Puts a series into a group; nil: into none.
  mutating func join(_ slot: Int, _ group: Int32?) {
    if slot >= groupOf.count {
      groupOf.append(contentsOf: repeatElement(-1, count: slot + 1 - groupOf.count))
      newest.append(contentsOf: repeatElement(.min, count: slot + 1 - newest.count))
    }
    guard groupOf[slot] != group ?? -1 else { return }
    _ = leave(slot)
    groupOf[slot] = group ?? -1
    if let group { groups[group, default: Group()].members.append(Int32(truncatingIfNeeded: slot)) }
  }

  /// Takes a series out of its group, and returns the group if it was its last.
  mutating func leave(_ slot: Int) -> Int? {
    guard slot < groupOf.count, groupOf[slot] >= 0 else { return nil }
    let group = groupOf[slot]
    groupOf[slot] = -1
    newest[slot] = .min
    groups[group]?.members.removeAll { $0 == slot }
    measure(group)
    return groups[group]?.members.isEmpty == true ? Int(group) : nil
  }

  /// The group of a series that has a sample at `time` (`Int64.min`: one that says nothing), and the time up to which
  /// the group has come.
  mutating func take(_ slot: Int, at time: Int64) -> (group: Int, mark: Int64)? {
    guard slot < groupOf.count, groupOf[slot] >= 0 else { return nil }
    let group = groupOf[slot]
    let wasSilent = newest[slot] == .min && time != .min
    newest[slot] = max(newest[slot], time)
    if wasSilent || groups[group]?.slowest == Int32(truncatingIfNeeded: slot) { measure(group) }
    return (Int(group), groups[group]?.mark ?? time)
  }

  /// Lets the series of a group that have not come to `time` count as silent.
  mutating func rest(of group: Int, before time: Int64) {
    guard let members = groups[Int32(truncatingIfNeeded: group)]?.members else { return }
    for member in members where newest[Int(member)] < time { newest[Int(member)] = .min }
    measure(Int32(truncatingIfNeeded: group))
  }

  private mutating func measure(_ group: Int32) {
    guard var found = groups[group] else { return }
    (found.slowest, found.mark) = (-1, .min)
    for member in found.members where newest[Int(member)] != .min {
      let time = newest[Int(member)]
      if found.slowest < 0 || time < found.mark { (found.slowest, found.mark) = (member, time) }
    }
    groups[group] = found
  }
}
