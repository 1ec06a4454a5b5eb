internal import Documents
internal import Resources

/// Every kind that is served, with the backend that keeps it.
struct Catalogue: Sendable {
  /// A kind and what is made of it once: its columns' paths are parsed from text.
  final class Entry: Sendable {
    let definition: ResourceDefinition
    let table: TableRenderer
    /// What of an object's text is read for a Table's cells.
    let cellParts: JSONProjection
    /// Nil for kinds that the API answers by itself: the reviews.
    let backend: (any ResourceBackend)?

    init(definition: ResourceDefinition, backend: (any ResourceBackend)?) {
      self.definition = definition
      self.backend = backend
      table = TableRenderer(definition)
      cellParts = table.projection
    }
  }
  private(set) var entries: [Entry] = []

  /// - Parameter answersReviews: whether clients can ask who they are and what they may do.
  init(backends: [any ResourceBackend], answersReviews: Bool = true) {
    for backend in backends {
      for definition in backend.definitions { add(Entry(definition: definition, backend: backend)) }
    }
    for definition in AccessReview.definitions where answersReviews { add(Entry(definition: definition, backend: nil)) }
  }

  /// The first of two that claim the same path wins.
  private mutating func add(_ entry: Entry) {
    let new = entry.definition
    guard self.entry(group: new.group, version: new.version, plural: new.plural) == nil else { return }
    entries.append(entry)
  }

  func entry(group: String, version: String, plural: String) -> Entry? {
    entries.first {
      $0.definition.plural == plural && $0.definition.group == group && $0.definition.version == version
    }
  }

  /// The named groups in the order of their first kind; the core group is not among them.
  var groups: [String] {
    var seen: [String] = []
    for entry in entries where !entry.definition.group.isEmpty && !seen.contains(entry.definition.group) {
      seen.append(entry.definition.group)
    }
    return seen
  }

  /// A group's versions in order, the preferred one first. The core group always has `v1`.
  func versions(of group: String) -> [String] {
    var seen = group.isEmpty ? ["v1"] : []
    for entry in entries where entry.definition.group == group && !seen.contains(entry.definition.version) {
      seen.append(entry.definition.version)
    }
    return seen
  }

  /// The kinds of a group's version; nil where there is no such version.
  func definitions(group: String, version: String) -> [ResourceDefinition]? {
    guard versions(of: group).contains(version) else { return nil }
    return entries.map(\.definition).filter { $0.group == group && $0.version == version }
  }

  /// Every group and version, the core group first.
  var groupVersions: [(group: String, version: String)] {
    ([""] + groups).flatMap { group in versions(of: group).map { (group, $0) } }
  }
}
