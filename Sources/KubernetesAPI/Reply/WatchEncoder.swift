internal import Documents
internal import Resources

/// Turns the events of a watch into lines of JSON (Kubernetes API concepts, section Efficient detection of changes).
struct WatchEncoder: Sendable {
  let rendering: ObjectRendering
  let allowsBookmarks: Bool
  /// Whether the first bookmark says that the initial events are over.
  let marksInitialEvents: Bool
  private var isInitial = true
  private var hasSentColumns = false

  init(_ rendering: ObjectRendering, allowsBookmarks: Bool, marksInitialEvents: Bool) {
    self.rendering = rendering
    self.allowsBookmarks = allowsBookmarks
    self.marksInitialEvents = marksInitialEvents
  }

  /// The event's line with its newline; nil for one that the client did not ask for.
  mutating func line(_ event: WatchEvent) -> [UInt8]? {
    let object: JSONValue
    switch event.change {
    case .bookmark:
      let isEnd = isInitial && marksInitialEvents
      isInitial = false
      guard allowsBookmarks else { return nil }
      object = rendered(bookmark(event.resourceVersion, endsInitialEvents: isEnd))
    case .error: object = event.object
    case .added, .modified, .deleted: object = rendered(event.object)
    }
    let line: JSONValue = ["type": .string(event.change.rawValue), "object": object]
    return line.serialised() + [0x0A]
  }

  private func bookmark(_ version: UInt64, endsInitialEvents: Bool) -> JSONValue {
    var metadata: JSONValue = ["resourceVersion": .string(version.description), "creationTimestamp": .null]
    if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
    return [
      "kind": .string(rendering.definition.kind), "apiVersion": .string(rendering.definition.apiVersion),
      "metadata": metadata,
    ]
  }

  /// Only the first Table carries its columns.
  private mutating func rendered(_ object: JSONValue) -> JSONValue {
    var result = rendering.single(object)
    if case .table = rendering.representation {
      if hasSentColumns { result["columnDefinitions"] = .null }
      hasSentColumns = true
    }
    return result
  }
}
