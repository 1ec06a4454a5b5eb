package import Documents
package import Resources

extension MergedTwins {
  /// The twin that is shown, with what only the collection knows of it: its version there, `status.gateway`, and
  /// `status.staleSince` while that gateway is away.
  /// - Parameter version: in place of the twin's own, where a watch must not run ahead of itself.
  package func object(_ key: ObjectKey, version: UInt64? = nil) -> JSONValue? {
    guard let shown = shown[key], let held = sources[shown.gateway]?.twins[key],
      let twin = try? JSONValue(parsing: held.text)
    else { return nil }
    return Self.shown(twin, shown, version: version ?? shown.version)
  }

  /// `twin`, as its gateway tells of it, in the place of what is shown.
  static func shown(_ twin: JSONValue, _ shown: Shown, version: UInt64) -> JSONValue {
    var twin = twin
    var metadata = twin.metadata
    metadata.resourceVersion = "\(version)"
    twin.metadata = metadata
    var status = twin["status"] ?? [:]
    status["gateway"] = .string(shown.gateway)
    if let since = shown.staleSince { status["staleSince"] = .string(since.secondsText) }
    twin["status"] = status
    return twin
  }

  static func isMeant(_ key: ObjectKey, _ options: ListOptions) -> Bool {
    guard let namespace = options.namespace, !namespace.isEmpty else { return true }
    return key.namespace == namespace
  }

  /// Whether a list with these options shows the twin; its name and namespace are the fields that can be selected.
  static func selects(_ key: ObjectKey, labels: [String: String], _ options: ListOptions) -> Bool {
    isMeant(key, options) && options.labelSelector?.matches(labels) ?? true
      && options.fieldSelector?.matches(["metadata": ["name": .string(key.name), "namespace": .string(key.namespace)]])
        ?? true
  }

  func selects(_ key: ObjectKey, _ options: ListOptions) -> Bool {
    Self.selects(key, labels: shown[key]?.labels ?? [:], options)
  }

  /// A page of a list. A continue token is the last twin's `namespace/name`.
  package func list(_ options: ListOptions) -> ObjectList {
    let after = options.continueToken.map { token in
      let parts = token.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return ObjectKey(namespace: parts[0], name: parts.count > 1 ? parts[1] : "")
    }
    let meant = shown.keys.filter { key in after.map { $0 < key } ?? true && selects(key, options) }.sorted()
    let limit = options.limit.flatMap { $0 > 0 ? $0 : nil } ?? meant.count
    let remaining = meant.count - Swift.min(limit, meant.count)
    let hasSelectors = options.labelSelector != nil || options.fieldSelector != nil
    return ObjectList(
      items: meant.prefix(limit).compactMap { object($0) }, resourceVersion: version,
      continueToken: remaining > 0 ? meant[limit - 1].description : nil,
      remainingItemCount: remaining > 0 && !hasSelectors ? remaining : nil)
  }

  // MARK: What is to be said with it

  /// How many gateways a text names.
  private static let named = 8

  /// What of the answer is old or missing, for people.
  package func advice(namespace: String?, key: ObjectKey?) -> [String] {
    if let key {
      guard let shown = shown[key], let since = shown.staleSince else { return [] }
      return ["gateway \(shown.gateway) has been away since \(since.secondsText): the twin is as it was last heard"]
    }
    let options = ListOptions(namespace: namespace)
    var stale: [String: Int] = [:]
    for (key, shown) in shown where shown.staleSince != nil && Self.isMeant(key, options) {
      stale[shown.gateway, default: 0] += 1
    }
    var away: [String] = []
    var unknown: [String] = []
    var unaddressed: [String] = []
    var beyond = 0
    var omitted = 0
    for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
      omitted += source.omitted.count { Self.isMeant($0, options) }
      switch source.state {
      case .live: break
      case .withoutAddress: unaddressed.append(name)
      case .beyondBound: beyond += 1
      case .away(let since):
        if source.twins.isEmpty { unknown.append("\(name) (since \(since.secondsText))") }
        if let count = stale[name] { away.append("\(name) (\(count), since \(since.secondsText))") }
      }
    }
    var texts: [String] = []
    func say(_ names: [String], _ text: String) {
      guard !names.isEmpty else { return }
      let more = names.count > Self.named ? " and \(names.count - Self.named) more" : ""
      texts.append("\(text): \(names.prefix(Self.named).joined(separator: ", "))\(more)")
    }
    say(away, "twins are as they were last heard, since their gateways are away")
    say(unknown, "gateways that are away, and of which no twin is known")
    say(unaddressed, "gateways that do not say where to ask for their twins (--twins-listen), so that none is shown")
    if beyond > 0 { texts.append("\(beyond) gateways are not asked: \(bounds.gateways) is the bound") }
    if omitted > 0 {
      texts.append("\(omitted) twins are not shown: all may take \(bounds.bytes >> 20) MiB (--memory-bytes)")
    }
    return texts
  }

  /// The collection in numbers.
  package struct Figures: Sendable, Hashable {
    package var live = 0
    package var away = 0
    package var withoutAddress = 0
    package var beyondBound = 0
    package var shown = 0
    package var stale = 0
    package var omitted = 0
    package var bytes = 0
    package var refused: UInt64 = 0
  }

  package var figures: Figures {
    var figures = Figures(
      shown: shown.count, stale: shown.values.count { $0.staleSince != nil }, bytes: bytes, refused: refused)
    for source in sources.values {
      figures.omitted += source.omitted.count
      switch source.state {
      case .live: figures.live += 1
      case .away: figures.away += 1
      case .withoutAddress: figures.withoutAddress += 1
      case .beyondBound: figures.beyondBound += 1
      }
    }
    return figures
  }
}
