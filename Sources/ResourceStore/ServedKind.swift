internal import Documents
internal import Resources

/// One kind of a store with its compiled schema, and the rules by which a body becomes an object. Pure.
struct ServedKind: Sendable {
  let definition: ResourceDefinition
  let schema: Schema
  let rules: any KindRules
  /// Rows that are newer were written with this schema's defaults in them.
  let adopted: UInt64
  var name: ResourceName { definition.name }

  init(_ definition: ResourceDefinition, adopted: UInt64 = .max) throws(StoreError) {
    self.definition = definition
    rules = BuiltInKinds.rules(of: definition.name)
    self.adopted = adopted
    do {
      schema = try Schema(definition.schema)
    } catch {
      throw StoreError(message: "the schema of \(definition.kind) cannot be served: \(error)")
    }
  }

  /// Tells one schema of a kind from another (a hash of its text).
  static func hash(of definition: ResourceDefinition) -> Int64 {
    Int64(bitPattern: FNV1a.hash(definition.schema.serialised()))
  }

  /// Where a write is aimed and who makes it.
  struct Context {
    var options: WriteOptions
    var subresource: Subresource?
    var now: Timestamp
  }

  /// The object to store for a new body, without its resourceVersion.
  func creating(
    _ body: JSONValue, namespace: String, _ context: Context, uid: String, suffix: () -> String
  ) throws(APIStatus) -> (object: JSONValue, warnings: [String]) {
    var object = try identified(body)
    guard object.metadata.resourceVersion.isEmpty else {
      throw .badRequest("resourceVersion should not be set on objects to be created")
    }
    var (pruned, warnings) = try pruned(object, context.options)
    if definition.hasStatus { pruned["status"] = nil }
    try checkNamespace(of: pruned, is: namespace)
    var metadata = pruned.metadata
    metadata.namespace = definition.isNamespaced ? namespace : ""
    if metadata.name.isEmpty, !metadata.generateName.isEmpty {
      metadata.name = metadata.generateName.prefix(58) + suffix()
    }
    metadata.uid = uid
    metadata.creationTimestamp = context.now
    metadata.generation = 1
    metadata.deletionTimestamp = nil
    metadata.json["deletionGracePeriodSeconds"] = nil
    metadata.json["selfLink"] = nil
    metadata.managedFields = nil
    pruned.metadata = metadata.normalised
    object = rules.completing(schema.defaulting(pruned))
    try validate(object, since: nil)
    return (object, warnings)
  }

  /// The object to store where `body` is to replace `old`, without its new resourceVersion. Equal to `old` where
  /// nothing changes. `managedFields` is left as in `old`.
  func updating(
    _ old: JSONValue, with body: JSONValue, _ context: Context
  ) throws(APIStatus) -> (object: JSONValue, warnings: [String]) {
    var (new, warnings) = try pruned(try identified(body), context.options)
    try checkNamespace(of: new, is: old.metadata.namespace)
    let oldMetadata = old.metadata
    var metadata = new.metadata
    guard metadata.name.isEmpty || metadata.name == oldMetadata.name else {
      throw .badRequest(
        "the name of the object (\(metadata.name)) does not match the name on the URL (\(oldMetadata.name))")
    }
    guard metadata.uid.isEmpty || metadata.uid == oldMetadata.uid else {
      throw APIStatus(
        code: 409, reason: "Conflict",
        message:
          "Operation cannot be fulfilled on \(name) \"\(oldMetadata.name)\": Precondition failed: UID in precondition: \(metadata.uid), UID in object meta: \(oldMetadata.uid)",
        name: oldMetadata.name, group: name.group, kind: name.plural)
    }
    if context.subresource == .status {
      var object = old
      object["status"] = new["status"]
      object = schema.defaulting(object)
      try refuse(
        schema.refusals(of: object, replacing: old).filter { $0.field == "status" || $0.field.hasPrefix("status.") },
        object)
      return (object, warnings)
    }
    if context.subresource == .finalize {
      var object = old
      object["spec"] = NamespaceRules.withFinalizers(of: new, in: old["spec"])
      try refuse(schema.refusals(of: object, replacing: old).filter { $0.field.hasPrefix("spec.") }, object)
      return (object, warnings)
    }
    if definition.name == BuiltInKinds.namespaces.name {
      new["spec"] = NamespaceRules.withFinalizers(of: old, in: new["spec"])
    }
    for key in [
      "name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
      "resourceVersion", "managedFields", "selfLink", "generateName",
    ] { metadata.json[key] = oldMetadata.json[key] }
    new.metadata = metadata.normalised
    if definition.hasStatus { new["status"] = old["status"] }
    new = rules.completing(schema.defaulting(new))
    try checkFinalizers(of: new, since: old)
    if withoutMetadata(new) != withoutMetadata(old) { new.metadata.generation = oldMetadata.generation + 1 }
    guard new != old else { return (old, warnings) }
    try validate(new, since: old)
    return (new, warnings)
  }

  /// Kind and apiVersion forced to the definition's; refused where the body says others.
  private func identified(_ body: JSONValue) throws(APIStatus) -> JSONValue {
    guard body.object != nil else { throw .badRequest("the body must be one object") }
    var object = rules.folding(body.canonical)
    if let given = body["apiVersion"]?.string, !given.isEmpty, given != definition.apiVersion {
      throw .badRequest(
        "the API version in the data (\(given)) does not match the expected API version (\(definition.apiVersion))")
    }
    if let given = body["kind"]?.string, !given.isEmpty, given != definition.kind {
      throw .badRequest("the kind in the data (\(given)) does not match the expected kind (\(definition.kind))")
    }
    guard body["metadata"] == nil || body["metadata"]?.object != nil else {
      throw .badRequest("metadata must be an object, not \(body["metadata"]?.typeName ?? "")")
    }
    object["apiVersion"] = .string(definition.apiVersion)
    object["kind"] = .string(definition.kind)
    if object["metadata"] == nil { object["metadata"] = [:] }
    return object
  }

  private func pruned(_ object: JSONValue, _ options: WriteOptions) throws(APIStatus) -> (JSONValue, [String]) {
    var (pruned, unknown) = schema.pruning(object)
    let (metadata, unknownMetadata) = MetadataRules.schema.pruning(pruned["metadata"] ?? [:])
    pruned["metadata"] = metadata
    unknown = unknownMetadata.map { "metadata.\($0)" } + unknown
    guard !unknown.isEmpty else { return (pruned, []) }
    let texts = unknown.map { "unknown field \"\($0)\"" }
    switch options.fieldValidation {
    case .ignore: return (pruned, [])
    case .warn: return (pruned, texts)
    case .strict:
      throw .badRequest(
        "\(definition.kind) in version \"\(definition.version)\" cannot be handled as a \(definition.kind): strict decoding error: \(texts.joined(separator: ", "))"
      )
    }
  }

  private func checkNamespace(of object: JSONValue, is namespace: String) throws(APIStatus) {
    let given = object.metadata.namespace
    guard given.isEmpty || given == (definition.isNamespaced ? namespace : "") else {
      throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }
  }

  private func checkFinalizers(of new: JSONValue, since old: JSONValue) throws(APIStatus) {
    guard old.metadata.deletionTimestamp != nil else { return }
    let added = new.metadata.finalizers.filter { !old.metadata.finalizers.contains($0) }
    guard !added.isEmpty else { return }
    let list = added.map { "\"\($0)\"" }.joined(separator: ", ")
    throw .invalid(
      kind: definition.kind, group: definition.group, name: old.metadata.name,
      causes: [
        APIStatus.Cause(
          reason: "FieldValueForbidden",
          message:
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\(list)}",
          field: "metadata.finalizers")
      ])
  }

  private func validate(_ object: JSONValue, since old: JSONValue?) throws(APIStatus) {
    let isNamespace = definition.group.isEmpty && definition.kind == "Namespace"
    var causes = MetadataRules.faults(in: object.metadata, isNamespaceKind: isNamespace)
    // What was stored under older rules and is not touched stays: a finalizer can go, a label can come.
    let isUntouched = old.map { $0["spec"] == object["spec"] } ?? false
    let refusals = schema.refusals(of: object, replacing: old)
      .filter { !isUntouched || !($0.field == "spec" || $0.field.hasPrefix("spec.")) }
    for cause in refusals + rules.faults(in: object, since: old)
    where !causes.contains(where: { $0.field == cause.field }) {
      causes.append(cause)
    }
    try refuse(causes, object)
  }

  private func refuse(_ causes: [APIStatus.Cause], _ object: JSONValue) throws(APIStatus) {
    guard !causes.isEmpty else { return }
    throw .invalid(kind: definition.kind, group: definition.group, name: object.metadata.name, causes: causes)
  }

  private func withoutMetadata(_ object: JSONValue) -> JSONValue {
    var object = object
    object["metadata"] = nil
    if definition.hasStatus { object["status"] = nil }
    return object
  }

  /// Whether a selector can tell the two states of an object apart.
  func differInSelection(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if left[path: "metadata", "labels"] != right[path: "metadata", "labels"] { return true }
    return definition.selectableFields.contains { path in
      func value(_ object: JSONValue) -> JSONValue? {
        var current: JSONValue? = object
        for key in path.split(separator: ".") { current = current?[String(key)] }
        return current
      }
      return value(left) != value(right)
    }
  }
}

extension JSONValue {
  /// As it reads back once it is stored: whole numbers are integers, so that equal values compare equal.
  var canonical: JSONValue {
    switch self {
    case .double(let number):
      guard number.magnitude < 9_007_199_254_740_992, !(number == 0 && number.sign == .minus) else { return self }
      return Int64(exactly: number).map { .integer($0) } ?? self
    case .array(let elements): return .array(elements.map(\.canonical))
    case .object(let members): return .object(members.mapValues(\.canonical))
    default: return self
    }
  }
}

extension ObjectMetadata {
  /// Without members that are null or empty, so that equal metadata is equal JSON.
  fileprivate var normalised: ObjectMetadata {
    ObjectMetadata(
      .object(
        (json.object ?? [:]).filter { _, value in
          switch value {
          case .null: false
          case .object(let members): !members.isEmpty
          case .array(let elements): !elements.isEmpty
          case .string(let text): !text.isEmpty
          default: true
          }
        }))
  }
}
