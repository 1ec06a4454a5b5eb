package import Documents

/// The members that a schema knows, and nothing else of it: what an apply may name. Pure.
package indirect enum KnownFields: Sendable, Hashable {
  /// Whatever there is, as far as is known.
  case anything
  case members([String: KnownFields])
  /// Of a map, or of a list.
  case each(KnownFields)

  /// Reads a schema (OpenAPI v3, as an API server publishes a CRD's).
  package init(_ schema: JSONValue) {
    if schema["x-kubernetes-preserve-unknown-fields"]?.bool == true {
      self = .anything
    } else if let items = schema["items"] {
      self = .each(KnownFields(items))
    } else if let properties = schema["properties"]?.object {
      self = .members(properties.mapValues { KnownFields($0) })
    } else if let additional = schema["additionalProperties"], additional.object != nil {
      self = .each(KnownFields(additional))
    } else {
      self = .anything
    }
  }

  /// The value without what is not known, whose paths are added to `removed`.
  package func trimming(_ value: JSONValue, at path: String, removed: inout [String]) -> JSONValue {
    switch (self, value) {
    case (.members(let known), .object(let members)):
      var kept: [String: JSONValue] = [:]
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        if let fields = known[name] {
          kept[name] = fields.trimming(member, at: "\(path).\(name)", removed: &removed)
        } else {
          removed.append("\(path).\(name)")
        }
      }
      return .object(kept)
    case (.each(let fields), .object(let members)):
      var kept: [String: JSONValue] = [:]
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        kept[name] = fields.trimming(member, at: "\(path).\(name)", removed: &removed)
      }
      return .object(kept)
    case (.each(let fields), .array(let elements)):
      var kept: [JSONValue] = []
      for (index, element) in elements.enumerated() {
        kept.append(fields.trimming(element, at: "\(path)[\(index)]", removed: &removed))
      }
      return .array(kept)
    default: return value
    }
  }
}
