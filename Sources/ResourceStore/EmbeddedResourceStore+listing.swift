internal import Documents
public import Resources

extension EmbeddedResourceStore {
  public func list(_ resource: ResourceName, _ options: ListOptions) throws(APIStatus) -> ObjectList {
    let page = try page(resource, options) { kind, key, version, body, filter in
      let object = try decoded(kind, key, version, body)
      return filter.matches(object) ? object : JSONValue?.none
    }
    return ObjectList(
      items: page.items, resourceVersion: page.version, continueToken: page.continueToken,
      remainingItemCount: page.remainingItemCount)
  }

  public func encodedList(_ resource: ResourceName, _ options: ListOptions) throws(APIStatus) -> EncodedObjectList {
    let page = try page(resource, options) {
      kind, key, version, body, filter in
      // A row from before the schema may lack its defaults.
      guard version > kind.adopted else {
        let object = try decoded(kind, key, version, body)
        return filter.matches(object) ? object.serialised() : nil
      }
      let text = try body()
      guard let projection = filter.projection else { return text }
      var parser = JSONParser(text)
      return filter.matches(try parser.parse(only: projection).value) ? text : nil
    }
    return EncodedObjectList(
      items: page.items, resourceVersion: page.version, continueToken: page.continueToken,
      remainingItemCount: page.remainingItemCount)
  }

  private struct Page<Item: Sendable>: Sendable {
    var items: [Item] = []
    var version: UInt64
    var continueToken: String?
    var remainingItemCount: Int?
  }

  /// One page of the list as it stood at the version of the first one. `make` answers nil for what the filter keeps
  /// out.
  private func page<Item: Sendable>(
    _ resource: ResourceName, _ options: ListOptions,
    _ make: (ServedKind, ObjectKey, UInt64, _ body: @escaping () throws -> [UInt8], WatchFilter) throws -> Item?
  ) throws(APIStatus) -> Page<Item> {
    let kind = try kind(resource, verb: "list")
    try check(options.fieldSelector, kind)
    let filter = WatchFilter(options)
    var token = PageToken(version: version, after: nil)
    if let text = options.continueToken, !text.isEmpty {
      token = try PageToken(text, of: resource)
      guard token.version >= compacted else {
        throw .expired(
          "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter."
        )
      }
      guard token.version <= version else { throw .badRequest("continue key is not valid: list again without it") }
    } else if let exact = options.exactVersion, exact < version {
      guard exact >= compacted else {
        throw .expired("The resourceVersion for the provided list is too old.")
      }
      token.version = exact
    }
    let limit = options.limit.flatMap { $0 > 0 ? $0 : nil } ?? .max
    var page = Page<Item>(version: token.version)
    var last: ObjectKey?
    var hasMore = false
    try guarded {
      try table.scan(resource, namespace: filter.namespace, after: token.after, asOf: token.version) {
        key, version, body in
        guard let item = try make(kind, key, version, body, filter) else { return true }
        guard page.items.count < limit else {
          hasMore = true
          return false
        }
        page.items.append(item)
        last = key
        return true
      }
    }
    if hasMore, let last {
      page.continueToken = PageToken(version: token.version, after: last).text(of: resource)
      if !filter.hasSelectors {
        page.remainingItemCount = try guarded {
          try table.count(resource, namespace: filter.namespace, after: last, asOf: token.version)
        }
      }
    }
    return page
  }
}
