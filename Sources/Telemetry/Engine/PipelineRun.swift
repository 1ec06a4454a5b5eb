internal import DeviceKit
internal import Documents
internal import SinkKit

/// A pipeline in force: its core and where its rows go. Owned by the engine.
final class PipelineRun {
  let key: String
  var spec: JSONValue
  /// `from` and `to` may be newer than the core's; the stages are the same.
  var specification: PipelineSpecification
  let core: PipelineCore
  let layout: RecordLayout
  var lanes: [SinkLane]
  var records: UInt64 = 0
  var hasEnded = false
  /// What the last checkpoint holds.
  var saved = Saved()
  /// The first entry of the journal that the last checkpoint does not hold; nil before the first one.
  var journalPosition: UInt64?

  /// What is on disk of a pipeline's state, by its marks.
  struct Saved {
    /// A hash of each slot's state.
    var marks: [Int] = []
    var sequences: [PointName: UInt64] = [:]
  }

  init(
    key: String, spec: JSONValue, specification: PipelineSpecification, lanes: [SinkLane], catalogue: SeriesCatalogue
  ) {
    self.key = key
    self.spec = spec
    self.specification = specification
    self.lanes = lanes
    core = PipelineCore(specification) { description in
      let point = PointName(device: description.device, property: description.property)
      let handle = catalogue.handle(of: SeriesCatalogue.Key(pipeline: key, point: point))
      catalogue.describe(handle, as: description)
      return handle
    }
    layout = RecordLayout(pipeline: key, fields: core.fields)
  }

  /// The namespace whose devices the pipeline takes; nil: all.
  var namespace: Substring? { Self.namespace(of: key) }

  /// Whether the samples that it takes are written down before they are acknowledged.
  var isJournaled: Bool { specification.durability == .journal }

  /// Whether a sink asks the pipeline's sources to wait.
  var isHeld: Bool { lanes.contains { !$0.gate.isOpen } }

  static func namespace(of key: String) -> Substring? {
    key.firstIndex(of: "/").map { key[..<$0] }
  }

  /// The key of a sink that the pipeline `key` names.
  static func sinkKey(_ name: String, for key: String) -> String {
    namespace(of: key).map { "\($0)/\(name)" } ?? name
  }
}
