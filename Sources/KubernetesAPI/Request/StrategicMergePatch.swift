internal import Documents
internal import Resources

/// Reads a strategic merge patch as a merge patch (RFC 7386): maps are merged, lists are replaced whole.
///
/// Typed clients send it for built-in kinds, whose fields here are maps and plain values. The order of a list that its
/// patch replaces says nothing more, and is left out; any other directive would mean something else than a merge patch can
/// say, and is refused (Kubernetes documentation, Update API Objects in Place Using kubectl patch).
enum StrategicMergePatch {
  static func asMergePatch(_ patch: JSONValue) throws(APIStatus) -> JSONValue {
    guard case .object(let members) = patch else {
      guard case .array(let elements) = patch else { return patch }
      for element in elements { _ = try asMergePatch(element) }
      return patch
    }
    var merged: [String: JSONValue] = [:]
    for (name, value) in members where !name.hasPrefix("$setElementOrder/") {
      guard name != "$patch", name != "$retainKeys", !name.hasPrefix("$deleteFromPrimitiveList/") else {
        throw .badRequest(
          "the directive \(name) of strategic merge patches is not supported: use application/merge-patch+json or application/json-patch+json"
        )
      }
      merged[name] = try asMergePatch(value)
    }
    return .object(merged)
  }
}
