internal import DeviceKit
internal import Documents
internal import Resources
internal import SinkKit
internal import Telemetry

extension SeriesDescription {
  /// What a series is called and belongs to, with the pipeline (`namespace/name`) that it comes from.
  func json(of pipeline: String) -> JSONValue {
    var json: JSONValue = [
      "pipeline": .string(
        pipeline.firstIndex(of: "/").map { String(pipeline[pipeline.index(after: $0)...]) } ?? pipeline),
      "device": .string(device.name), "property": .string(property), "node": .string(node),
      "labels": .object(labels.mapValues { .string($0) }),
    ]
    if !model.isEmpty { json["model"] = .string(model) }
    if !unit.isEmpty { json["unit"] = .string(unit) }
    return json
  }
}

extension QueryProblem {
  var status: APIStatus {
    switch self {
    case .invalid(let parameter, let message): .badRequest("\(parameter): \(message)")
    case .busy:
      APIStatus(
        code: 429, reason: "TooManyRequests", message: "too many queries are under way; ask again in a second",
        retryAfterSeconds: 1)
    case .keepsNothing:
      APIStatus(
        code: 404, reason: "NotFound",
        message: "this gateway keeps no telemetry: spec.localQuery.keep of its Gateway is Nothing")
    case .unreadable(let message): .internalError(message)
    }
  }
}
