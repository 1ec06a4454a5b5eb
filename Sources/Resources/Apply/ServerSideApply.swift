public import Documents

/// Server-side apply (Kubernetes documentation, Server-Side Apply; structured-merge-diff) as a pure function.
public enum ServerSideApply {
  /// The object after `manager` applied `configuration` to `live` (nil: there is none yet), with its managedFields.
  ///
  /// Fields that the manager applied before and that are not in the configuration any more go, unless another owns them.
  /// Throws 409 with one cause for each field that another manager holds at a different value; `force` takes it over.
  public static func applying(
    _ configuration: JSONValue, to live: JSONValue?, schema: Schema, manager: ManagedFields.Manager, force: Bool,
    now: Timestamp
  ) throws(APIStatus) -> JSONValue {
    let known = schema.pruning(configuration).value
    let applied = FieldWalk.fields(of: known, schema)
    var managed = ManagedFields(live?.metadata.managedFields)
    if let live, managed.entries.isEmpty {
      managed.entries = [
        ManagedFields.Entry(
          manager: ManagedFields.Manager(
            name: "before-first-apply", operation: .update, apiVersion: manager.apiVersion, subresource: nil),
          time: live.metadata.json["creationTimestamp"]?.string ?? "", fields: FieldWalk.fields(of: live, schema))
      ]
    }
    var merged = merge(configuration, into: live ?? [:], schema, isTop: true)
    let changed = FieldWalk.difference(from: live, to: merged, schema).changed.intersection(applied)
    var conflicts: [(entry: ManagedFields.Entry, path: [FieldPathElement])] = []
    for index in managed.entries.indices where managed.entries[index].manager != manager {
      let contested = managed.entries[index].fields.intersection(changed)
      conflicts += contested.paths.map { (managed.entries[index], $0) }
      managed.entries[index].fields = managed.entries[index].fields.subtracting(contested)
    }
    if !force, !conflicts.isEmpty {
      let taken = manager.name == "kubectl" ? live.map { fieldsAppliedByClient($0, schema) } : nil
      let left = conflicts.filter { conflict in
        var path = FieldSet()
        path.insert(conflict.path)
        return taken?.intersection(path).isEmpty ?? true
      }
      guard left.isEmpty else { throw refusal(left) }
    }
    let mine = managed.entries.first { $0.manager == manager }?.fields ?? FieldSet()
    let others = managed.entries.filter { $0.manager != manager }.reduce(FieldSet()) { $0.union($1.fields) }
    let kept = applied.union(others)
    merged = remove(mine.subtracting(kept), keeping: kept, from: merged, schema, isTop: true)
    managed.change(manager, now) { _ in applied }
    merged.metadata.managedFields = managed.json
    return merged
  }

  /// What `kubectl apply` without `--server-side` has set and nobody has changed since, by the annotation that it
  /// leaves: server-side apply by `kubectl` itself takes it over without a conflict (apimachinery, lastAppliedManager).
  private static func fieldsAppliedByClient(_ live: JSONValue, _ schema: Schema) -> FieldSet {
    guard let text = live.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"],
      let applied = try? JSONValue(parsing: Array(text.utf8))
    else { return FieldSet() }
    let known = schema.pruning(applied).value
    let differing = FieldWalk.difference(from: live, to: known, schema).changed
    return FieldWalk.fields(of: known, schema).subtracting(differing)
  }

  private static func refusal(_ conflicts: [(entry: ManagedFields.Entry, path: [FieldPathElement])]) -> APIStatus {
    func shown(_ path: [FieldPathElement]) -> String { path.map(\.shown).joined() }
    let causes = conflicts.map { entry, path in
      APIStatus.Cause(
        reason: "FieldManagerConflict", message: "conflict with \(entry.manager.shown(at: entry.time))",
        field: shown(path))
    }
    var text = ""
    if conflicts.count == 1 {
      text = "1 conflict: \(causes[0].message): \(causes[0].field)"
    } else {
      var lines: [String] = []
      var last = ""
      for cause in causes {
        let head = cause.message.replacingPrefix("conflict with", by: "conflicts with") + ":"
        if head != last { lines.append(head) }
        last = head
        lines.append("- \(cause.field)")
      }
      text = "\(conflicts.count) conflicts: \(lines.joined(separator: "\n"))"
    }
    return APIStatus(code: 409, reason: "Conflict", message: "Apply failed with \(text)", causes: causes)
  }

  private static func merge(
    _ configuration: JSONValue, into live: JSONValue, _ schema: Schema?, isTop: Bool = false
  ) -> JSONValue {
    if let wanted = FieldWalk.members(configuration, schema), var members = FieldWalk.members(live, schema) {
      for (name, value) in wanted {
        let inner = FieldWalk.member(name, of: schema, isTop: isTop)
        members[name] = members[name].map { merge(value, into: $0, inner) } ?? value
      }
      return .object(members)
    }
    if let wanted = FieldWalk.items(configuration, schema), let items = FieldWalk.items(live, schema) {
      var merged = items
      for (key, item) in wanted {
        if let index = merged.firstIndex(where: { $0.key == key }) {
          if case .key = key { merged[index].item = merge(item, into: merged[index].item, schema?.items) }
        } else {
          merged.append((key, item))
        }
      }
      return .array(merged.map(\.item))
    }
    return configuration
  }

  /// Takes out the fields of `gone`; an item or a map's key stays while something of `kept` is in it.
  private static func remove(
    _ gone: FieldSet, keeping kept: FieldSet, from value: JSONValue, _ schema: Schema?, isTop: Bool = false
  ) -> JSONValue {
    guard !gone.isEmpty else { return value }
    func isGone(_ element: FieldPathElement) -> Bool {
      gone.members.contains(element) && !kept.members.contains(element) && kept.children[element] == nil
    }
    func inner(_ element: FieldPathElement, _ value: JSONValue, _ schema: Schema?) -> JSONValue {
      remove(
        gone.children[element] ?? FieldSet(), keeping: kept.children[element] ?? FieldSet(), from: value, schema)
    }
    if let members = FieldWalk.members(value, schema) {
      var left: [String: JSONValue] = [:]
      for (name, member) in members where !isGone(.field(name)) {
        let rest = inner(.field(name), member, FieldWalk.member(name, of: schema, isTop: isTop))
        // A container that only held what is gone goes with it.
        let isHollow = rest != member && (rest == [:] || rest == []) && !kept.members.contains(.field(name))
        if !isHollow { left[name] = rest }
      }
      return .object(left)
    }
    if let items = FieldWalk.items(value, schema) {
      return .array(
        items.filter { !isGone($0.key) }.map { key, item in
          if case .key = key { inner(key, item, schema?.items) } else { item }
        })
    }
    return value
  }
}

extension String {
  fileprivate func replacingPrefix(_ prefix: String, by other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
