public import Documents

/// Who set which field of an object (meta/v1 ManagedFieldsEntry; Kubernetes documentation, Server-Side Apply).
public struct ManagedFields: Sendable {
  public enum Operation: String, Sendable, Hashable {
    case apply = "Apply"
    case update = "Update"
  }

  /// What tells one entry from another.
  public struct Manager: Sendable, Hashable {
    public var name: String
    public var operation: Operation
    public var apiVersion: String
    public var subresource: String?
    public init(name: String, operation: Operation, apiVersion: String, subresource: String?) {
      self.name = name.isEmpty ? "unknown" : name
      self.operation = operation
      self.apiVersion = apiVersion
      self.subresource = subresource
    }

    /// As messages of conflicts name it.
    func shown(at time: String) -> String {
      var text = "\"\(name)\""
      if let subresource { text += " with subresource \"\(subresource)\"" }
      if operation == .update {
        text += " using \(apiVersion)"
        if !time.isEmpty { text += " at \(time)" }
      }
      return text
    }
  }

  struct Entry {
    var manager: Manager
    /// RFC 3339, whole seconds.
    var time: String
    var fields: FieldSet
  }
  static let maximumUpdates = 10
  var entries: [Entry]

  init(_ json: JSONValue?) {
    entries = (json?.array ?? []).compactMap { json in
      guard let name = json["manager"]?.string, let operation = json["operation"]?.string.flatMap(Operation.init),
        let fields = json["fieldsV1"]
      else { return nil }
      let manager = Manager(
        name: name, operation: operation, apiVersion: json["apiVersion"]?.string ?? "",
        subresource: json["subresource"]?.string)
      return Entry(manager: manager, time: json["time"]?.string ?? "", fields: FieldSet(fields))
    }
  }

  /// The value of metadata.managedFields; nil where nobody owns anything.
  var json: JSONValue? {
    let kept = entries.filter { !$0.fields.isEmpty }
    guard !kept.isEmpty else { return nil }
    return .array(
      kept.map { entry in
        var json: JSONValue = [
          "manager": .string(entry.manager.name), "operation": .string(entry.manager.operation.rawValue),
          "apiVersion": .string(entry.manager.apiVersion), "fieldsType": "FieldsV1", "fieldsV1": entry.fields.json,
        ]
        if !entry.time.isEmpty { json["time"] = .string(entry.time) }
        if let subresource = entry.manager.subresource { json["subresource"] = .string(subresource) }
        return json
      })
  }

  /// metadata.managedFields after an ordinary write made `new` of `old`: what changed belongs to `manager`, what is gone
  /// to nobody. `managed` is what the write itself says about managedFields: an empty list or `[{}]` forgets all owners,
  /// other entries take the place of those before (a client that moves ownership does so), and what holds no entry that
  /// can be read is passed over. A write of a subresource says nothing about them.
  public static func tracking(
    from old: JSONValue?, to new: JSONValue, schema: Schema, managed: JSONValue?, by manager: Manager, now: Timestamp
  ) -> JSONValue? {
    let isReset = managed?.array.map { $0.isEmpty || $0 == [[:]] } ?? false
    var before = old?.metadata.managedFields
    if let managed, !isReset, manager.subresource == nil, managed != before,
      let given = ManagedFields(managed).json
    {
      before = given
    }
    let (changed, removed) = FieldWalk.difference(from: old, to: new, schema)
    if changed.isEmpty, removed.isEmpty { return isReset ? nil : before }
    var fields = ManagedFields(isReset ? nil : before)
    let lost = changed.union(removed)
    for index in fields.entries.indices where fields.entries[index].manager != manager {
      fields.entries[index].fields = fields.entries[index].fields.subtracting(lost)
    }
    fields.change(manager, now) { $0.union(changed).subtracting(removed.subtracting(changed)) }
    fields.limitUpdates()
    return fields.json
  }

  /// Changes one manager's fields; its time moves only where they differ afterwards.
  mutating func change(_ manager: Manager, _ now: Timestamp, _ body: (FieldSet) -> FieldSet) {
    if let index = entries.firstIndex(where: { $0.manager == manager }) {
      let changed = body(entries[index].fields)
      if changed != entries[index].fields {
        entries[index].fields = changed
        entries[index].time = now.secondsText
      }
    } else {
      entries.append(Entry(manager: manager, time: now.secondsText, fields: body(FieldSet())))
    }
  }

  /// Folds the oldest updates into one entry where there are too many.
  private mutating func limitUpdates() {
    var updates = entries.indices.filter { entries[$0].manager.operation == .update && !entries[$0].fields.isEmpty }
    guard updates.count > Self.maximumUpdates else { return }
    updates.sort { entries[$0].time < entries[$1].time }
    let folded = updates.prefix(updates.count - Self.maximumUpdates + 1)
    var ancient = entries[folded[0]]
    ancient.manager = Manager(
      name: "ancient-changes", operation: .update, apiVersion: ancient.manager.apiVersion, subresource: nil)
    for index in folded { ancient.fields = ancient.fields.union(entries[index].fields) }
    let victims = Set(folded)
    entries = [ancient] + entries.indices.filter { !victims.contains($0) }.map { entries[$0] }
  }
}
