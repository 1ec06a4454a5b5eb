internal import Documents
internal import Resources

/// The beginning of a watch of many objects: these page by page, as they stood when the watch began, then what has
/// happened since. No more than one page is held for a watcher that reads slowly.
actor InitialObjects {
  static let pageSize = 500

  /// Held only while there are pages to come.
  private var store: EmbeddedResourceStore?
  private let resource: ResourceName
  private var options: ListOptions
  private var page: ObjectList
  private var position = 0
  private var end: WatchEvent?
  private let live: AsyncStream<WatchEvent>
  private var isOver = false

  init(
    store: EmbeddedResourceStore, resource: ResourceName, options: ListOptions, page: ObjectList, end: WatchEvent,
    live: AsyncStream<WatchEvent>
  ) {
    self.store = store
    self.resource = resource
    self.options = options
    self.page = page
    self.end = end
    self.live = live
  }

  static func added(_ object: JSONValue, _ version: UInt64) -> WatchEvent {
    WatchEvent(
      change: .added, object: object, resourceVersion: UInt64(object.metadata.resourceVersion) ?? version)
  }

  /// The next event for the one who watches; nil at the end.
  func next() async -> WatchEvent? {
    guard !isOver else { return nil }
    while end != nil {
      if position < page.items.count {
        position += 1
        return Self.added(page.items[position - 1], page.resourceVersion)
      }
      guard let token = page.continueToken, let store else {
        defer {
          end = nil
          store = nil
          page.items = []
        }
        return end
      }
      options.continueToken = token
      do throws(APIStatus) {
        page = try await store.list(resource, options)
        position = 0
      } catch {
        isOver = true
        return WatchEvent(change: .error, object: error.json, resourceVersion: page.resourceVersion)
      }
    }
    var events = live.makeAsyncIterator()
    return await events.next()
  }
}
