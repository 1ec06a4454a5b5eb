internal import SinkKit

/// Changes what a series is called or labelled with, and lets every sample pass as it is.
final class DescribingStage: SampleStage {
  let name: String
  private(set) var counters = StageCounters()
  private let change: (inout SeriesDetails) -> Void

  init(_ rename: PipelineSpecification.Rename) {
    name = "rename"
    change = { $0.description.property = rename.name(of: $0.description.property) }
  }

  init(_ enrich: PipelineSpecification.Enrich) {
    name = "enrich"
    change = { details in
      let given = details.description
      for (key, template) in enrich.labels { details.description.labels[key] = template.name(of: given) }
    }
  }

  func describe(slot: Int, _ details: inout SeriesDetails) { change(&details) }

  func process(_ flow: SampleFlow) {
    counters.input += UInt64(flow.selection.count)
    counters.output += UInt64(flow.selection.count)
  }
}
