internal import Documents
internal import Resources

/// One page of a list as a backend gave it: objects, or their texts, which need no reading.
struct ListPage: Sendable {
  enum Items: Sendable {
    case objects([JSONValue])
    /// Compact, keys sorted.
    case texts([[UInt8]])
  }
  var items: Items
  var resourceVersion: UInt64
  var continueToken: String?
  var remainingItemCount: Int?

  var count: Int {
    switch items {
    case .objects(let objects): objects.count
    case .texts(let texts): texts.count
    }
  }

  /// Asks for texts where the backend has them and the client does not want them indented.
  static func fetched(
    from backend: any ResourceBackend, _ resource: ResourceName, _ options: ListOptions, isPretty: Bool
  ) async throws(APIStatus) -> ListPage {
    if !isPretty, let source = backend as? any EncodedObjectSource {
      let list = try await source.encodedList(resource, options)
      return ListPage(
        items: .texts(list.items), resourceVersion: list.resourceVersion, continueToken: list.continueToken,
        remainingItemCount: list.remainingItemCount)
    }
    let list = try await backend.list(resource, options)
    return ListPage(
      items: .objects(list.items), resourceVersion: list.resourceVersion, continueToken: list.continueToken,
      remainingItemCount: list.remainingItemCount)
  }
}
