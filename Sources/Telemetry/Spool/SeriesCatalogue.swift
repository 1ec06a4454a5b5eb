package import DeviceKit
package import SinkKit
internal import Synchronization

/// The series of all pipelines of one gateway: a small dense handle for each, what it is called, and the sequence
/// number that its next record gets. Shared between the engine and the spools' thread; locked once per batch.
package final class SeriesCatalogue: Sendable {
  package struct Key: Hashable, Sendable {
    package var pipeline: String
    package var point: PointName
    package init(pipeline: String, point: PointName) {
      self.pipeline = pipeline
      self.point = point
    }
  }

  private struct State {
    var handles: [Key: UInt32] = [:]
    var keys: [Key] = []
    var descriptions: [SeriesDescription?] = []
    var nextSequences: [UInt64] = []
    var epoch = 0
  }
  private let state = Mutex(State())

  package init() {}

  /// The series' handle, the same at every call.
  package func handle(of key: Key) -> UInt32 { state.withLock { Self.handle(of: key, &$0) } }

  private static func handle(of key: Key, _ state: inout State) -> UInt32 {
    if let handle = state.handles[key] { return handle }
    let handle = UInt32(state.keys.count)
    state.handles[key] = handle
    state.keys.append(key)
    state.descriptions.append(nil)
    state.nextSequences.append(1)
    return handle
  }

  package func key(of handle: UInt32) -> Key { state.withLock { $0.keys[Int(handle)] } }

  /// Says what a series is. A change makes ``epoch`` rise.
  package func describe(_ handle: UInt32, as description: SeriesDescription) {
    state.withLock { state in
      guard state.descriptions[Int(handle)] != description else { return }
      if state.descriptions[Int(handle)] != nil { state.epoch += 1 }
      state.descriptions[Int(handle)] = description
    }
  }

  /// Says what a series is of which nobody has said anything.
  package func describe(_ handle: UInt32, asFirst description: SeriesDescription) {
    state.withLock { state in
      if state.descriptions[Int(handle)] == nil { state.descriptions[Int(handle)] = description }
    }
  }

  /// What the series is; by its name alone where nobody has said more.
  package func description(of handle: UInt32) -> SeriesDescription {
    state.withLock { state in
      if let description = state.descriptions[Int(handle)] { return description }
      let point = state.keys[Int(handle)].point
      return SeriesDescription(node: "", device: point.device, property: point.property)
    }
  }

  /// Rises when a description changes: what was written down of descriptions before is out of date.
  package var epoch: Int { state.withLock { $0.epoch } }

  /// Gives each row its series' handle, looked up by slot, and that series' next sequence number.
  package func number(_ rows: inout RecordRows, series: [UInt32]) {
    state.withLock { state in
      for index in rows.rows.indices {
        let handle = series[Int(rows.rows[index].slot)]
        rows.rows[index].series = handle
        rows.rows[index].sequence = state.nextSequences[Int(handle)]
        state.nextSequences[Int(handle)] += 1
      }
    }
  }

  /// The number of the last record of each series of a pipeline; none for those without one.
  package func sequences(of pipeline: String) -> [PointName: UInt64] {
    state.withLock { state in
      var last: [PointName: UInt64] = [:]
      for (handle, key) in state.keys.enumerated() where key.pipeline == pipeline && state.nextSequences[handle] > 1 {
        last[key.point] = state.nextSequences[handle] - 1
      }
      return last
    }
  }

  /// The number of the last record of the series.
  package func lastSequence(of handle: UInt32) -> UInt64 { state.withLock { $0.nextSequences[Int(handle)] - 1 } }

  /// Numbers the pipeline's next records as if those after `sequences` had never been: for records that are made a
  /// second time. End it by ``raise(_:past:)``.
  package func rewind(_ pipeline: String, to sequences: [PointName: UInt64]) {
    state.withLock { state in
      for (handle, key) in state.keys.enumerated() where key.pipeline == pipeline {
        state.nextSequences[handle] = (sequences[key.point] ?? 0) + 1
      }
      for (point, sequence) in sequences {
        let handle = Self.handle(of: Key(pipeline: pipeline, point: point), &state)
        state.nextSequences[Int(handle)] = sequence + 1
      }
    }
  }

  /// Sees to it that the series' next record is numbered above `sequence`.
  @discardableResult
  package func raise(_ key: Key, past sequence: UInt64) -> UInt32 {
    state.withLock { state in
      let handle = Self.handle(of: key, &state)
      state.nextSequences[Int(handle)] = max(state.nextSequences[Int(handle)], sequence + 1)
      return handle
    }
  }
}
