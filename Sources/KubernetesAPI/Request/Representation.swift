internal import Documents
package import Resources

/// The shape in which a client wants objects (Kubernetes API concepts, section Alternate representations).
package enum Representation: Sendable, Equatable {
  case object
  /// `meta.k8s.io` Table of that version.
  case table(version: String)
  /// `meta.k8s.io` PartialObjectMetadata, or its List for lists.
  case metadata(version: String)

  /// The first acceptable shape; 406 where there is none.
  package init(accept: String) throws(APIStatus) {
    for range in MediaRange.accepted(by: accept) {
      if range.takesJSON {
        self = .object
        return
      }
      guard range.essence == "application/json", range.parameters["g"] == "meta.k8s.io",
        let version = range.parameters["v"], ["v1", "v1beta1"].contains(version)
      else { continue }
      switch range.parameters["as"] {
      case "Table": self = .table(version: version)
      case "PartialObjectMetadata", "PartialObjectMetadataList": self = .metadata(version: version)
      default: continue
      }
      return
    }
    throw .notAcceptable
  }
}

extension APIStatus {
  package static let notAcceptable = APIStatus(
    code: 406, reason: "NotAcceptable",
    message: "only the following media types are accepted: application/json, application/json;stream=watch")

  package static func unsupportedMediaType(accepted: [String]) -> APIStatus {
    APIStatus(
      code: 415, reason: "UnsupportedMediaType",
      message:
        "the body of the request was in an unknown format - accepted media types include: \(accepted.joined(separator: ", "))"
    )
  }

  package static let methodNotAllowed = APIStatus(
    code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method on the requested resource")

  /// 422 about the options of a request, as `ListOptions.meta.k8s.io "" is invalid: …`.
  package static func invalidOptions(_ kind: String, _ field: String, _ reason: String, _ message: String) -> APIStatus
  {
    .invalid(
      kind: kind, group: "meta.k8s.io", name: "", causes: [Cause(reason: reason, message: message, field: field)])
  }
}
