package import Documents
package import Resources

/// Which Secrets an object refers to, in its own namespace. Pure.
package enum SecretReferences {
  /// The names under every member of `spec` whose name ends in `SecretRef`, at any depth.
  package static func of(_ object: JSONValue) -> Set<ObjectKey> {
    var found: Set<ObjectKey> = []
    collect(object["spec"] ?? .null, object.metadata.namespace, &found)
    return found
  }

  private static func collect(_ value: JSONValue, _ namespace: String, _ found: inout Set<ObjectKey>) {
    switch value {
    case .object(let members):
      for (name, member) in members {
        if name.hasSuffix("SecretRef"), let secret = member["name"]?.string, !secret.isEmpty {
          found.insert(ObjectKey(namespace: namespace, name: secret))
        } else {
          collect(member, namespace, &found)
        }
      }
    case .array(let elements):
      for element in elements { collect(element, namespace, &found) }
    default: return
    }
  }
}
