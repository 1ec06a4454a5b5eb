internal import Documents

/// Finds which fields a value has, and in which two values differ, as finely as the schema's list and map types say.
enum FieldWalk {
  /// Members of metadata that nobody owns.
  private static let unowned: Set<String> = [
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink",
    "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds",
  ]

  /// The object without what nobody owns.
  static func owned(_ object: JSONValue) -> JSONValue {
    var object = object
    object["apiVersion"] = nil
    object["kind"] = nil
    if let metadata = object["metadata"]?.object {
      let kept = metadata.filter { !unowned.contains($0.key) }
      object["metadata"] = kept.isEmpty ? JSONValue?.none : .object(kept)
    }
    return object
  }

  /// The schema of a member of `schema`; of the object itself where `isTop`.
  static func member(_ name: String, of schema: Schema?, isTop: Bool) -> Schema? {
    isTop && name == "metadata" ? MetadataRules.schema : schema?.member(name)
  }

  /// The fields of an object.
  static func fields(of object: JSONValue, _ schema: Schema?) -> FieldSet {
    self.fields(of: owned(object), schema, isTop: true).set
  }

  /// The items of an associative list by their keys; nil where the value is no such list.
  static func items(_ value: JSONValue, _ schema: Schema?) -> [(key: FieldPathElement, item: JSONValue)]? {
    guard case .array(let elements) = value, let schema else { return nil }
    switch schema.listType {
    case .atomic: return nil
    case .set: return elements.map { (.value($0), $0) }
    case .map:
      return elements.map { element in
        let keys = schema.listMapKeys.map { name in
          (name, element[name] ?? schema.items?.properties[name]?.fallback ?? .null)
        }
        return (.key(.object(Dictionary(keys, uniquingKeysWith: { _, last in last }))), element)
      }
    }
  }

  /// The members of a granular map or object; nil where the value is none.
  static func members(_ value: JSONValue, _ schema: Schema?) -> [String: JSONValue]? {
    guard case .object(let members) = value, schema?.isAtomicMap != true else { return nil }
    return members
  }

  private static func fields(
    of value: JSONValue, _ schema: Schema?, isTop: Bool = false
  ) -> (set: FieldSet, isLeaf: Bool) {
    var set = FieldSet()
    if let members = members(value, schema), !members.isEmpty {
      for (name, member) in members {
        let (inner, isLeaf) = fields(of: member, self.member(name, of: schema, isTop: isTop))
        set.insert(inner, under: .field(name))
        // The key of a map is a fact of its own; that of a declared field follows from what is in it.
        if isLeaf || (!isTop && schema?.properties[name] == nil) { set.insert(.field(name)) }
      }
      return (set, false)
    }
    if let items = items(value, schema), !items.isEmpty {
      for (key, item) in items {
        if case .key = key { set.insert(fields(of: item, schema?.items).set, under: key) }
        set.insert(key)
      }
      return (set, false)
    }
    return (set, true)
  }

  /// Fields that are new or different in `new`, and fields that only `old` has.
  static func difference(from old: JSONValue?, to new: JSONValue, _ schema: Schema?) -> (
    changed: FieldSet, removed: FieldSet
  ) {
    var changed = FieldSet()
    var removed = FieldSet()
    _ = difference(old.map(owned) ?? [:], owned(new), schema, isTop: true, &changed, &removed)
    return (changed, removed)
  }

  /// Answers whether the node itself, not something in it, is what differs.
  private static func difference(
    _ old: JSONValue, _ new: JSONValue, _ schema: Schema?, isTop: Bool = false, _ changed: inout FieldSet,
    _ removed: inout FieldSet
  ) -> Bool {
    guard old != new else { return false }
    if let before = members(old, schema), let after = members(new, schema), isTop || (!before.isEmpty && !after.isEmpty)
    {
      for name in Set(before.keys).union(after.keys) {
        compare(
          before[name], after[name], .field(name), member(name, of: schema, isTop: isTop),
          isOwnFact: !isTop && schema?.properties[name] == nil, &changed, &removed)
      }
      return false
    }
    if let before = items(old, schema), let after = items(new, schema), !before.isEmpty, !after.isEmpty {
      let olds = Dictionary(before.map { ($0.key, $0.item) }, uniquingKeysWith: { first, _ in first })
      let news = Dictionary(after.map { ($0.key, $0.item) }, uniquingKeysWith: { first, _ in first })
      for key in Set(olds.keys).union(news.keys) {
        compare(olds[key], news[key], key, schema?.items, isOwnFact: true, &changed, &removed)
      }
      return false
    }
    let (before, _) = fields(of: old, schema)
    let (after, isLeaf) = fields(of: new, schema)
    changed = changed.union(after)
    removed = removed.union(before.subtracting(after))
    return isLeaf
  }

  private static func compare(
    _ old: JSONValue?, _ new: JSONValue?, _ element: FieldPathElement, _ schema: Schema?, isOwnFact: Bool,
    _ changed: inout FieldSet, _ removed: inout FieldSet
  ) {
    switch (old, new) {
    case (let old?, let new?):
      var innerChanged = FieldSet()
      var innerRemoved = FieldSet()
      if difference(old, new, schema, &innerChanged, &innerRemoved) { changed.insert(element) }
      changed.insert(innerChanged, under: element)
      removed.insert(innerRemoved, under: element)
    case (nil, let new?):
      let (set, isLeaf) = fields(of: new, schema)
      changed.insert(set, under: element)
      if isLeaf || isOwnFact { changed.insert(element) }
    case (let old?, nil):
      let (set, isLeaf) = fields(of: old, schema)
      removed.insert(set, under: element)
      if isLeaf || isOwnFact { removed.insert(element) }
    case (nil, nil): break
    }
  }
}
