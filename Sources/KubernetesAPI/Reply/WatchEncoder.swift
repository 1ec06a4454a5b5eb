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
  /// Tells renderings of one event from each other: two encoders of the same form write the same line.
  private let form: String

  init(_ rendering: ObjectRendering, allowsBookmarks: Bool, marksInitialEvents: Bool) {
    self.rendering = rendering
    self.allowsBookmarks = allowsBookmarks
    self.marksInitialEvents = marksInitialEvents
    form =
      switch rendering.representation {
      case .object: "object"
      case .metadata(let version): "metadata \(version)"
      case .table(let version): "table \(version) \(rendering.include.rawValue)"
      }
  }

  /// The event's line with its newline; nil for one that the client did not ask for. Made once for all who want the
  /// event in this form.
  mutating func line(_ event: WatchEvent) -> [UInt8]? {
    var name = form
    var isEnd = false
    if event.change == .bookmark {
      isEnd = isInitial && marksInitialEvents
      isInitial = false
      guard allowsBookmarks else { return nil }
      if isEnd { name += " end" }
    }
    var hasColumns = false
    if case .table = rendering.representation, event.change != .error {
      hasColumns = !hasSentColumns
      hasSentColumns = true
      if hasColumns { name += " columns" }
    }
    return event.renderings.bytes("\(event.change.rawValue) \(name)") {
      let object: JSONValue =
        switch event.change {
        case .bookmark: rendered(bookmark(event.resourceVersion, endsInitialEvents: isEnd), hasColumns)
        case .error: event.object
        case .added, .modified, .deleted: rendered(event.object, hasColumns)
        }
      let line: JSONValue = ["type": .string(event.change.rawValue), "object": object]
      return line.serialised() + [0x0A]
    }
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
  private func rendered(_ object: JSONValue, _ hasColumns: Bool) -> JSONValue {
    var result = rendering.single(object)
    if case .table = rendering.representation, !hasColumns { result["columnDefinitions"] = .null }
    return result
  }
}
