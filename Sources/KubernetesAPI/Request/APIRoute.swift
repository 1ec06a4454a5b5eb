/// What a path under the API names (Kubernetes API concepts, section Resource URIs).
package enum APIRoute: Sendable, Equatable {
  case version
  /// `/api`
  case coreVersions
  /// `/apis`
  case groups
  case group(String)
  /// `/api/v1` with an empty group, `/apis/G/V`.
  case resources(group: String, version: String)
  case openAPIv2
  /// `/openapi/v3`
  case openAPIv3Index
  case openAPIv3(group: String, version: String)
  case resource(ResourcePath)

  /// Nil for a path that serves nothing. Empty segments do not count: `/apis/` is `/apis`.
  package init?(path: String) {
    var segments: [String] = []
    for segment in path.split(separator: "/") {
      guard let decoded = String(segment).percentDecoded(), !decoded.contains("/") else { return nil }
      segments.append(decoded)
    }
    switch segments.first {
    case "version" where segments.count == 1: self = .version
    case "openapi":
      switch (segments.count, segments.dropFirst().first) {
      case (2, "v2"): self = .openAPIv2
      case (2, "v3"): self = .openAPIv3Index
      case (4, "v3") where segments[2] == "api": self = .openAPIv3(group: "", version: segments[3])
      case (5, "v3") where segments[2] == "apis": self = .openAPIv3(group: segments[3], version: segments[4])
      default: return nil
      }
    case "api":
      switch segments.count {
      case 1: self = .coreVersions
      case 2: self = .resources(group: "", version: segments[1])
      default:
        guard let path = ResourcePath(group: "", version: segments[1], segments: segments[2...]) else { return nil }
        self = .resource(path)
      }
    case "apis":
      switch segments.count {
      case 1: self = .groups
      case 2: self = .group(segments[1])
      case 3: self = .resources(group: segments[1], version: segments[2])
      default:
        guard let path = ResourcePath(group: segments[1], version: segments[2], segments: segments[3...]) else {
          return nil
        }
        self = .resource(path)
      }
    default: return nil
    }
  }
}

/// The address of a collection, an object or a subresource.
package struct ResourcePath: Sendable, Equatable {
  package var group: String
  package var version: String
  /// Nil where the path names no namespace.
  package var namespace: String?
  package var plural: String
  package var name: String?
  package var subresource: String?

  /// Reads what follows the group and version; nil where there is too much of it.
  ///
  /// `namespaces/NAME/status` is a namespace's own subresource, `namespaces/NS/PLURAL…` everything within one.
  package init?(group: String, version: String, segments: ArraySlice<String>) {
    self.group = group
    self.version = version
    var rest = Array(segments)
    if rest.first == "namespaces", rest.count > 2, !(rest.count == 3 && ["status", "finalize"].contains(rest[2])) {
      namespace = rest[1]
      rest.removeFirst(2)
    }
    guard (1...3).contains(rest.count) else { return nil }
    plural = rest[0]
    name = rest.count > 1 ? rest[1] : nil
    subresource = rest.count > 2 ? rest[2] : nil
  }
}
