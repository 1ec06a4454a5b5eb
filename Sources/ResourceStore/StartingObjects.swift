internal import Documents
internal import Resources
internal import SQLite

/// Writes what every store holds from the start: the namespaces `default` and `kube-system`, and the CRDs.
struct StartingObjects {
  let table: ObjectTable
  let kinds: [ResourceName: ServedKind]
  var version: UInt64
  let now: Timestamp

  mutating func write(crds: [JSONValue]) throws {
    var version = version
    try table.connection.transaction {
      for name in ["default", "kube-system"] {
        try put(
          NamespaceRules().completing(["metadata": ["name": .string(name)]]), BuiltInKinds.namespaces, &version,
          replacing: false)
      }
      let definition = BuiltInKinds.customResourceDefinitions
      var kept: Set<String> = []
      for crd in crds {
        kept.insert(crd.metadata.name)
        try put(Self.established(crd, now: now), definition, &version, replacing: true)
      }
      var gone: [ObjectKey] = []
      try table.scan(definition.name, namespace: nil, after: nil) { key, _, _ in
        if !kept.contains(key.name) { gone.append(key) }
        return true
      }
      for key in gone {
        guard let row = try table.row(definition.name, key) else { continue }
        version += 1
        var object = try JSONValue(parsing: row.body)
        object.metadata.resourceVersion = String(version)
        try table.log(
          ObjectTable.Change(version: version, kind: .deleted, object: object, prior: row.version),
          of: definition.name, body: try table.encoded(object, of: definition.name), keepsPrevious: true,
          time: now.nanoseconds / 1_000_000_000)
        try table.remove(uid: object.metadata.uid)
      }
      try table.setCounter("version", version)
    }
    self.version = version
  }

  /// Stores an object that is new or, where it may be replaced, differs in more than what the store gives.
  private func put(
    _ object: JSONValue, _ definition: ResourceDefinition, _ version: inout UInt64, replacing: Bool
  ) throws {
    var object = object
    object["apiVersion"] = .string(definition.apiVersion)
    object["kind"] = .string(definition.kind)
    let row = try table.row(definition.name, object.objectKey)
    let old = try row.map { try JSONValue(parsing: $0.body) }
    var metadata = object.metadata
    metadata.uid = old?.metadata.uid ?? UniqueID.make()
    metadata.creationTimestamp = old?.metadata.creationTimestamp ?? now
    metadata.generation = old?.metadata.generation ?? 1
    metadata.resourceVersion = old?.metadata.resourceVersion ?? ""
    object.metadata = metadata
    if let old {
      if !replacing { return }
      // The conditions keep the time at which they were first written.
      if old["spec"] == object["spec"] { return }
      object.metadata.generation += 1
    }
    version += 1
    object.metadata.resourceVersion = String(version)
    let seconds = now.nanoseconds / 1_000_000_000
    let body = try table.encoded(object, of: definition.name)
    try table.log(
      ObjectTable.Change(
        version: version, kind: old == nil ? .added : .modified, object: object, prior: row?.version ?? 0),
      of: definition.name, body: body, keepsPrevious: true, time: seconds)
    try table.put(definition.name, object, body: body, version: version, time: seconds)
  }

  /// A CRD with the status that an API server gives it once it serves the kind.
  private static func established(_ crd: JSONValue, now: Timestamp) -> JSONValue {
    var crd = crd
    var conditions = Conditions.Editor(now: now)
    conditions.set("NamesAccepted", .true, "NoConflicts", "no conflicts found")
    conditions.set("Established", .true, "InitialNamesAccepted", "the initial names have been accepted")
    crd["status"] = [
      "conditions": conditions.json, "acceptedNames": crd[path: "spec", "names"] ?? [:],
      "storedVersions": .array((crd[path: "spec", "versions"]?.array ?? []).compactMap { $0["name"] }),
    ]
    return crd
  }
}
