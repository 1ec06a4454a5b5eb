internal import Documents
internal import Resources

/// What a watch or a list lets through.
struct WatchFilter: Sendable {
  var namespace: String?
  var labels: LabelSelector?
  var fields: FieldSelector?

  init(_ options: ListOptions) {
    namespace = options.namespace.flatMap { $0.isEmpty ? nil : $0 }
    labels = options.labelSelector
    fields = options.fieldSelector
  }

  var hasSelectors: Bool { labels != nil || fields != nil }

  /// What ``matches(_:)`` looks at; nil: at nothing that the key does not say.
  var projection: JSONProjection? {
    guard hasSelectors else { return nil }
    var projection = JSONProjection(paths: [["metadata", "namespace"], ["metadata", "labels"]])
    for requirement in fields?.requirements ?? [] {
      projection.insert(requirement.path.split(separator: ".").map(String.init))
    }
    return projection
  }

  func matches(_ object: JSONValue) -> Bool {
    if let namespace, object[path: "metadata", "namespace"]?.string != namespace { return false }
    if let labels, !labels.matches(object.metadata.labels) { return false }
    return fields?.matches(object) ?? true
  }

  /// How a change looks through the filter: an object that stops matching is deleted, one that starts is added.
  func event(for change: ObjectTable.Change) -> WatchEvent? {
    let isIn = matches(change.object)
    let wasIn = change.kind == .added ? false : change.previous.map(matches) ?? isIn
    // Which of the three a change is tells what is sent of it: the renderings of all watchers go together.
    func event(_ kind: WatchEvent.Change, _ object: JSONValue) -> WatchEvent {
      WatchEvent(change: kind, object: object, resourceVersion: change.version, renderings: change.renderings)
    }
    if change.kind == .deleted { return isIn ? event(.deleted, change.object) : nil }
    switch (wasIn, isIn) {
    case (false, true): return event(.added, change.object)
    case (true, true): return event(.modified, change.object)
    case (true, false):
      var last = change.previous ?? change.object
      last.metadata.resourceVersion = String(change.version)
      return event(.deleted, last)
    case (false, false): return nil
    }
  }
}
