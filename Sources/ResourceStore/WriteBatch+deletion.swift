internal import Documents
internal import Resources

extension WriteBatch {
  static let foregroundFinalizer = "foregroundDeletion"

  /// Deletes one object as the options say: at once, or marked for deletion while finalizers hold it.
  mutating func delete(
    _ kind: ServedKind, _ object: JSONValue, _ propagation: DeleteOptions.Propagation
  ) throws(APIStatus) -> (object: JSONValue, isGone: Bool) {
    if kind.name == BuiltInKinds.namespaces.name { return try deleteNamespace(kind, object) }
    var object = object
    let isRepeated = object.metadata.deletionTimestamp != nil
    let blocking = propagation == .foreground ? try dependents(of: object).filter { $0.blocks } : []
    if propagation == .orphan { try releaseDependents(of: object) }
    if !blocking.isEmpty, !object.metadata.finalizers.contains(Self.foregroundFinalizer), !isRepeated {
      object.metadata.finalizers.append(Self.foregroundFinalizer)
    }
    guard !object.metadata.finalizers.isEmpty else {
      try erase(kind, object)
      return (object, true)
    }
    if !isRepeated { try mark(kind, &object) }
    guard propagation == .foreground else { return (object, false) }
    for dependent in try dependents(of: object) where dependent.object.metadata.deletionTimestamp == nil {
      // One that went with another before it is not there any more.
      guard let current = try found(dependent.kind, dependent.object.objectKey) else { continue }
      _ = try delete(dependent.kind, current, .foreground)
    }
    let current = try found(kind, object.objectKey)
    return (current ?? object, current == nil)
  }

  /// Sets the deletionTimestamp.
  private mutating func mark(_ kind: ServedKind, _ object: inout JSONValue) throws(APIStatus) {
    let old = object
    object.metadata.deletionTimestamp = now
    object.metadata.json["deletionGracePeriodSeconds"] = 0
    object.metadata.generation += 1
    try put(kind, &object, previous: old)
  }

  private mutating func deleteNamespace(_ kind: ServedKind, _ object: JSONValue)
    throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    var object = object
    let name = object.metadata.name
    guard !NamespaceRules.permanent.contains(name) else {
      throw APIStatus(
        code: 403, reason: "Forbidden",
        message: "namespaces \"\(name)\" is forbidden: this namespace may not be deleted",
        name: name, kind: "namespaces")
    }
    if object.metadata.deletionTimestamp == nil {
      object["status"] = ["phase": "Terminating"]
      try mark(kind, &object)
    }
    for (resource, key) in try attempt({ try table.content(of: name) }) {
      guard let other = store.kindsByText[resource], let content = try found(other, key),
        content.metadata.deletionTimestamp == nil
      else { continue }
      _ = try delete(other, content, .background)
    }
    guard let current = try found(kind, object.objectKey) else { return (object, true) }
    guard try attempt({ try table.content(of: name) }).isEmpty, current.metadata.finalizers.isEmpty,
      NamespaceRules.holders(of: current).isEmpty
    else {
      return (current, false)
    }
    try erase(kind, current)
    return (current, true)
  }

  private struct Dependent {
    var kind: ServedKind
    var object: JSONValue
    var blocks: Bool
  }

  private func dependents(of owner: JSONValue) throws(APIStatus) -> [Dependent] {
    let uid = owner.metadata.uid
    var dependents: [Dependent] = []
    for (resource, key) in try attempt({ try table.dependents(of: uid) }) {
      guard let kind = store.kindsByText[resource], let object = try found(kind, key) else { continue }
      let blocks = object.metadata.ownerReferences.contains { $0.uid == uid && $0.blocksOwnerDeletion }
      dependents.append(Dependent(kind: kind, object: object, blocks: blocks))
    }
    return dependents
  }

  /// Takes the owner out of its dependents' references.
  private mutating func releaseDependents(of owner: JSONValue) throws(APIStatus) {
    for dependent in try dependents(of: owner) {
      var object = dependent.object
      object.metadata.ownerReferences.removeAll { $0.uid == owner.metadata.uid }
      try put(dependent.kind, &object, previous: dependent.object)
    }
  }

  /// After an object went: its dependents go whose every owner is gone, the others lose the reference; an owner that
  /// waited for it in the foreground goes on, and so does a namespace that is being terminated.
  mutating func settle(after gone: JSONValue) throws(APIStatus) {
    for dependent in try dependents(of: gone) {
      var object = dependent.object
      guard let current = try found(dependent.kind, object.objectKey) else { continue }
      object = current
      var left: [OwnerReference] = []
      for owner in object.metadata.ownerReferences where try attempt({ try table.exists(uid: owner.uid) }) {
        left.append(owner)
      }
      if left.isEmpty {
        if object.metadata.deletionTimestamp == nil { _ = try delete(dependent.kind, object, .background) }
      } else {
        object.metadata.ownerReferences = left
        try put(dependent.kind, &object, previous: current)
      }
    }
    for reference in gone.metadata.ownerReferences where reference.blocksOwnerDeletion {
      try continueForegroundDeletion(of: reference, namespace: gone.metadata.namespace)
    }
    try continueTermination(of: gone.metadata.namespace)
  }

  private mutating func continueForegroundDeletion(of reference: OwnerReference, namespace: String) throws(APIStatus) {
    guard
      let kind = store.kinds.values.first(where: {
        $0.definition.kind == reference.kind && $0.definition.apiVersion == reference.apiVersion
      })
    else { return }
    let key = ObjectKey(namespace: kind.definition.isNamespaced ? namespace : "", name: reference.name)
    guard let owner = try found(kind, key), owner.metadata.uid == reference.uid,
      owner.metadata.deletionTimestamp != nil, owner.metadata.finalizers.contains(Self.foregroundFinalizer),
      try !dependents(of: owner).contains(where: \.blocks)
    else { return }
    var freed = owner
    freed.metadata.finalizers.removeAll { $0 == Self.foregroundFinalizer }
    if freed.metadata.finalizers.isEmpty { try erase(kind, freed) } else { try put(kind, &freed, previous: owner) }
  }

  mutating func continueTermination(of namespace: String) throws(APIStatus) {
    guard !namespace.isEmpty, let kind = store.kinds[BuiltInKinds.namespaces.name],
      let object = try found(kind, ObjectKey(name: namespace)), object.metadata.deletionTimestamp != nil,
      object.metadata.finalizers.isEmpty, NamespaceRules.holders(of: object).isEmpty,
      try attempt({ try table.content(of: namespace) }).isEmpty
    else { return }
    try erase(kind, object)
  }
}
