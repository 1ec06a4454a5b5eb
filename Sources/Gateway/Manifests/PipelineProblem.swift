public import Documents
internal import Telemetry

/// What is wrong with a Pipeline beyond what its schema says: expressions, units, templates. Nil for a pipeline that can be
/// served, and for any other document.
public func pipelineProblem(in document: JSONValue) -> String? {
  guard document["kind"]?.string == "Pipeline", let spec = document["spec"] else { return nil }
  do {
    _ = try PipelineSpecification(json: spec)
    return nil
  } catch {
    return error.description
  }
}
