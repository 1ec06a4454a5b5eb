package import Documents

/// One field that a write changed. A value is short: text that is too long is cut, a large object or list described.
package struct FieldChange: Sendable, Hashable {
  /// `spec.desired.setpoint`, `spec.properties[2].unit`, `metadata.labels["example.org/line"]`.
  package var path: String
  /// Nil: the field is new.
  package var from: JSONValue?
  /// Nil: the field is gone.
  package var to: JSONValue?

  package init(path: String, from: JSONValue?, to: JSONValue?) {
    self.path = path
    self.from = from
    self.to = to
  }

  var json: JSONValue {
    var json: JSONValue = ["path": .string(path)]
    json["from"] = from
    json["to"] = to
    return json
  }
}

/// What differs between two states of an object that users and controllers set: not what the store itself keeps.
package struct FieldChanges: Sendable, Hashable {
  /// Sorted by path; at most ``limit``.
  package private(set) var list: [FieldChange] = []
  /// How many more there are.
  package private(set) var omitted = 0

  static let limit = 32
  private static let longestText = 256
  private static let redacted: JSONValue = "redacted"
  /// Metadata that a user sets; of annotations, kubectl's copy of the whole manifest is left out.
  private static let metadata = ["labels", "annotations", "finalizers", "ownerReferences"]
  private static let manifestCopy = "kubectl.kubernetes.io/last-applied-configuration"

  /// - Parameters:
  ///   - includesStatus: whether the write was aimed at the status, which other writes cannot change.
  ///   - isSecret: whether values are kept back; labels, annotations and finalizers are told all the same.
  package init(
    from before: JSONValue?, to after: JSONValue?, includesStatus: Bool = false, isSecret: Bool = false
  ) {
    let keys = Set(before?.object?.keys.map { $0 } ?? []).union(after?.object?.keys.map { $0 } ?? [])
    for key in keys.sorted() {
      switch key {
      case "apiVersion", "kind": continue
      case "status" where !includesStatus: continue
      case "metadata":
        for part in Self.metadata {
          compare("metadata.\(part)", before?[path: "metadata", part], after?[path: "metadata", part], hides: false)
        }
      default: compare(key, before?[key], after?[key], hides: isSecret)
      }
    }
  }

  private mutating func compare(_ path: String, _ before: JSONValue?, _ after: JSONValue?, hides: Bool) {
    guard before != after else { return }
    let old = before?.object
    let new = after?.object
    // A whole part that is new or gone is told field by field too.
    if (old != nil || before == nil) && (new != nil || after == nil), !(old ?? [:]).isEmpty || !(new ?? [:]).isEmpty {
      for key in Set((old ?? [:]).keys).union((new ?? [:]).keys).sorted() where key != Self.manifestCopy {
        compare(path + Self.step(key), old?[key], new?[key], hides: hides)
      }
      return
    }
    if let old = before?.array, let new = after?.array, old.count == new.count {
      for index in old.indices { compare("\(path)[\(index)]", old[index], new[index], hides: hides) }
      return
    }
    guard list.count < Self.limit else {
      omitted += 1
      return
    }
    list.append(FieldChange(path: path, from: Self.short(before, hides), to: Self.short(after, hides)))
  }

  private static func step(_ key: String) -> String {
    let isPlain = key.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
    }
    return isPlain ? ".\(key)" : "[\(JSONValue.string(key))]"
  }

  private static func short(_ value: JSONValue?, _ hides: Bool) -> JSONValue? {
    guard let value else { return JSONValue?.none }
    if hides { return redacted }
    switch value {
    case .string(let text):
      return text.utf8.count <= longestText ? value : .string(String(text.prefix(longestText / 4)) + "…")
    case .array(let items):
      return value.serialised().count <= longestText ? value : .string("a list of \(items.count)")
    case .object(let members):
      return value.serialised().count <= longestText ? value : .string("an object of \(members.count) fields")
    default: return value
    }
  }
}
