public import Documents

extension Schema {
  /// The value without the members that the schema does not know, and the paths of what was removed, sorted
  /// (`spec.properties[0].colour`). At the top, apiVersion, kind and metadata always stay.
  public func pruning(_ value: JSONValue) -> (value: JSONValue, removed: [String]) {
    var walker = Walker()
    let pruned = walker.prune(value, self, path: "", isTop: true)
    return (pruned, walker.removed)
  }

  private struct Walker {
    var removed: [String] = []

    mutating func prune(_ value: JSONValue, _ schema: Schema, path: String, isTop: Bool = false) -> JSONValue {
      switch value {
      case .object(let members):
        guard schema.kind == .object || schema.kind == nil else { return value }
        var kept: [String: JSONValue] = [:]
        kept.reserveCapacity(members.count)
        let isResource = isTop || schema.isEmbeddedResource
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
          if isResource, name == "apiVersion" || name == "kind" || name == "metadata" {
            kept[name] = member
          } else if let inner = schema.member(name) {
            kept[name] = prune(member, inner, path: path.isEmpty ? name : "\(path).\(name)")
          } else if schema.keepsUnknownMembers {
            kept[name] = member
          } else {
            removed.append(path.isEmpty ? name : "\(path).\(name)")
          }
        }
        return .object(kept)
      case .array(let elements):
        guard let items = schema.items else { return value }
        return .array(elements.enumerated().map { prune($1, items, path: "\(path)[\($0)]") })
      default: return value
      }
    }
  }
}
