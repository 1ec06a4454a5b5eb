internal import Documents
internal import Resources
internal import SQLite

/// The writes of one transaction and the changes that they make, in order.
struct WriteBatch {
  /// What a batch needs of its store.
  struct Access {
    let kinds: [ResourceName: ServedKind]
    let kindsByText: [String: ServedKind]
    let table: ObjectTable
    /// The log reaches back to here.
    let compacted: UInt64
  }
  /// A change that the batch has made; `bytes`: of the object's row.
  struct Made {
    var resource: ResourceName
    var change: ObjectTable.Change
    var bytes: Int
  }
  /// How far a batch was at some time.
  struct Mark {
    fileprivate var version: UInt64
    fileprivate var changes: Int
  }
  let store: Access
  var version: UInt64
  let now: Timestamp
  private(set) var changes: [Made] = []

  init(store: Access, version: UInt64, now: Timestamp) {
    self.store = store
    self.version = version
    self.now = now
  }

  var table: ObjectTable { store.table }

  var mark: Mark { Mark(version: version, changes: changes.count) }

  /// Forgets what was made since; the database is taken back by whoever calls.
  mutating func goBack(to mark: Mark) {
    version = mark.version
    changes.removeSubrange(mark.changes...)
  }
  private var seconds: Int64 { now.nanoseconds / 1_000_000_000 }

  // MARK: Reading inside the transaction

  func found(_ kind: ServedKind, _ key: ObjectKey) throws(APIStatus) -> JSONValue? {
    try attempt {
      try table.row(kind.name, key).map { kind.schema.defaulting(try JSONValue(parsing: $0.body)) }
    }
  }

  func existing(_ kind: ServedKind, _ key: ObjectKey) throws(APIStatus) -> JSONValue {
    guard let object = try found(kind, key) else { throw .notFound(kind.name, name: key.name) }
    return object
  }

  // MARK: Writing

  mutating func create(
    _ kind: ServedKind, namespace: String, _ body: JSONValue, _ options: WriteOptions
  ) throws(APIStatus) -> WriteResult {
    let context = ServedKind.Context(options: options, subresource: nil, now: now)
    var (object, warnings) = try kind.creating(
      body, namespace: namespace, context, uid: UniqueID.make(), suffix: UniqueID.suffix)
    if body.metadata.name.isEmpty {
      for _ in 0..<8 where try found(kind, object.objectKey) != nil {
        (object, warnings) = try kind.creating(
          body, namespace: namespace, context, uid: UniqueID.make(), suffix: UniqueID.suffix)
      }
    }
    try checkNamespace(for: object, kind)
    guard try found(kind, object.objectKey) == nil else {
      throw .alreadyExists(kind.name, name: object.metadata.name)
    }
    // A status that stands there from the start is the schema's, not the creator's.
    var given = object
    if kind.definition.hasStatus { given["status"] = nil }
    object.metadata.managedFields = ManagedFields.tracking(
      from: nil, to: given, schema: kind.schema, managed: .array([]),
      by: ManagedFields.Manager(
        name: options.fieldManager, operation: .update, apiVersion: kind.definition.apiVersion, subresource: nil),
      now: now)
    try put(kind, &object, previous: nil)
    return WriteResult(object: object, isCreated: true, warnings: warnings)
  }

  /// Replaces the main part or the status of `old`; a write that changes nothing stores nothing.
  mutating func replace(
    _ kind: ServedKind, _ old: JSONValue, with body: JSONValue, _ subresource: Subresource?, _ options: WriteOptions
  ) throws(APIStatus) -> WriteResult {
    let given = body.metadata.resourceVersion
    guard given.isEmpty || given == old.metadata.resourceVersion else {
      throw .conflict(kind.name, name: old.metadata.name)
    }
    let context = ServedKind.Context(options: options, subresource: subresource, now: now)
    let (updated, warnings) = try kind.updating(old, with: body, context)
    var object = updated
    object.metadata.managedFields = ManagedFields.tracking(
      from: old, to: object, schema: kind.schema, managed: body.metadata.managedFields,
      by: ManagedFields.Manager(
        name: options.fieldManager, operation: .update, apiVersion: kind.definition.apiVersion,
        subresource: subresource?.rawValue), now: now)
    return try finish(kind, old, object, warnings)
  }

  /// Stores what an update made of `old`, or lets the object go where its last finalizer went.
  mutating func finish(
    _ kind: ServedKind, _ old: JSONValue, _ new: JSONValue, _ warnings: [String]
  ) throws(APIStatus) -> WriteResult {
    var object = new
    guard object != old else { return WriteResult(object: old, warnings: warnings) }
    if object.metadata.deletionTimestamp != nil, object.metadata.finalizers.isEmpty, !old.metadata.finalizers.isEmpty {
      try erase(kind, object)
      return WriteResult(object: object, warnings: warnings)
    }
    try put(kind, &object, previous: old)
    if kind.name == BuiltInKinds.namespaces.name { try continueTermination(of: object.metadata.name) }
    return WriteResult(object: object, warnings: warnings)
  }

  func checkNamespace(for object: JSONValue, _ kind: ServedKind) throws(APIStatus) {
    let name = object.metadata.namespace
    guard kind.definition.isNamespaced, let namespaces = store.kinds[BuiltInKinds.namespaces.name] else { return }
    guard !name.isEmpty else { throw .badRequest("a namespace must be specified for \(kind.name)") }
    guard let namespace = try found(namespaces, ObjectKey(name: name)) else {
      throw .notFound(namespaces.name, name: name)
    }
    if namespace.metadata.deletionTimestamp != nil {
      throw NamespaceRules.terminating(name, refusing: object.metadata.name, of: kind.name)
    }
  }

  /// Stores the object under the next version.
  mutating func put(_ kind: ServedKind, _ object: inout JSONValue, previous: JSONValue?) throws(APIStatus) {
    version += 1
    object.metadata.resourceVersion = String(version)
    let stored = object
    // Said with its type: a bare nil would be JSON's null here.
    let before = previous.flatMap { kind.differInSelection($0, stored) ? $0 : JSONValue?.none }
    let prior = previous.flatMap { UInt64($0.metadata.resourceVersion) } ?? 0
    let change = ObjectTable.Change(
      version: version, kind: previous == nil ? .added : .modified, object: stored, previous: before, prior: prior)
    let bytes = try attempt {
      let body = try table.encoded(stored, of: kind.name)
      try table.log(change, of: kind.name, body: body, keepsPrevious: keepsPrevious(change), time: seconds)
      try table.put(kind.name, stored, body: body, version: change.version, time: seconds)
      if stored.metadata.json["ownerReferences"] != previous?.metadata.json["ownerReferences"] {
        try table.setOwners(of: stored)
      }
      return body.count
    }
    changes.append(Made(resource: kind.name, change: change, bytes: bytes))
  }

  /// Takes the object out of the store; ``WriteBatch/settle(after:)`` sees to what hung on it.
  mutating func erase(_ kind: ServedKind, _ object: JSONValue) throws(APIStatus) {
    version += 1
    var last = object
    last.metadata.resourceVersion = String(version)
    let prior = UInt64(object.metadata.resourceVersion) ?? 0
    let change = ObjectTable.Change(version: version, kind: .deleted, object: last, prior: prior)
    let bytes = try attempt {
      let body = try table.encoded(last, of: kind.name)
      try table.log(change, of: kind.name, body: body, keepsPrevious: keepsPrevious(change), time: seconds)
      try table.remove(uid: object.metadata.uid)
      return body.count
    }
    changes.append(Made(resource: kind.name, change: change, bytes: bytes))
    try settle(after: object)
  }

  /// The log has every state since `compacted`; an older one goes into it with the change that replaces it.
  private func keepsPrevious(_ change: ObjectTable.Change) -> Bool {
    change.previous != nil || change.prior <= store.compacted
  }

  func attempt<Result>(_ body: () throws -> Result) throws(APIStatus) -> Result {
    do { return try body() } catch { throw StoreFile.status(for: error) }
  }
}
