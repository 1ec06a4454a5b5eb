/// What a request's Content-Type says that its body is.
enum RequestBodyFormat: Sendable, Equatable {
  case json
  case yaml
  /// Kubernetes' protobuf envelope, which kubectl sends for built-in kinds.
  case protobuf
  case mergePatch
  case jsonPatch
  case strategicMergePatch
  case applyPatch

  /// Nil for anything else, an absent header included.
  init?(contentType: String) {
    switch MediaRange(contentType)?.essence {
    case "application/json": self = .json
    case "application/yaml", "application/x-yaml": self = .yaml
    case "application/vnd.kubernetes.protobuf": self = .protobuf
    case "application/merge-patch+json": self = .mergePatch
    case "application/json-patch+json": self = .jsonPatch
    case "application/strategic-merge-patch+json": self = .strategicMergePatch
    case "application/apply-patch+yaml": self = .applyPatch
    default: return nil
    }
  }

  static let objectTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
  static let patchTypes = [
    "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml",
  ]
}
