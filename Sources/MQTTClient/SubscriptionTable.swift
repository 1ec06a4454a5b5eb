/// Which subscriber wants which filters, and which of these the broker must be asked for: pure, one for a connection.
///
/// A filter that another one covers is not subscribed at the broker beside it, since a broker may deliver a message
/// once for each overlapping subscription (MQTT 3.1.1, section 3.3.5).
struct SubscriptionTable: Sendable {
  enum Directive: Sendable, Hashable {
    case subscribe(TopicFilter)
    /// Subscribe and unsubscribe at once: for the retained messages only.
    case fetchRetained(TopicFilter)
    case unsubscribe(String)
  }

  private struct Entry {
    var filter: TopicFilter
    var subscribers: Set<Int>
    var isCovered: Bool
  }

  private var entries: [String: Entry] = [:]
  private var wildcards: Set<String> = []
  private var filtersOfSubscriber: [Int: [TopicFilter]] = [:]

  /// Adds a subscriber. Its filters are asked for even where another has them already: the broker then sends the
  /// retained messages.
  mutating func add(_ subscriber: Int, _ filters: [TopicFilter]) -> [Directive] {
    filtersOfSubscriber[subscriber] = filters
    var directives: [Directive] = []
    for filter in filters {
      var entry = entries[filter.text] ?? Entry(filter: filter, subscribers: [], isCovered: false)
      entry.subscribers.insert(subscriber)
      entry.filter.qos = max(entry.filter.qos, filter.qos)
      entry.isCovered = isCovered(entry.filter)
      entries[filter.text] = entry
      if filter.hasWildcards { wildcards.insert(filter.text) }
      directives.append(entry.isCovered ? .fetchRetained(entry.filter) : .subscribe(entry.filter))
      if filter.hasWildcards, !entry.isCovered { directives += coverOthers(under: entry.filter) }
    }
    return directives
  }

  mutating func remove(_ subscriber: Int) -> [Directive] {
    var directives: [Directive] = []
    for filter in filtersOfSubscriber.removeValue(forKey: subscriber) ?? [] {
      guard var entry = entries[filter.text] else { continue }
      entry.subscribers.remove(subscriber)
      guard entry.subscribers.isEmpty else {
        entries[filter.text] = entry
        continue
      }
      entries[filter.text] = nil
      wildcards.remove(filter.text)
      if !entry.isCovered { directives.append(.unsubscribe(filter.text)) }
      if filter.hasWildcards { directives += uncover(under: entry.filter) }
    }
    return directives
  }

  /// What a new connection has to ask for.
  var uncoveredFilters: [TopicFilter] { entries.values.filter { !$0.isCovered }.map(\.filter) }

  /// The filter of this text, if anybody has it.
  func filter(_ text: String) -> (filter: TopicFilter, subscribers: Set<Int>)? {
    entries[text].map { ($0.filter, $0.subscribers) }
  }

  /// The subscribers whose filters match `topic`, each once, in the order in which they came.
  func recipients(of topic: String) -> [Int] {
    var subscribers = entries[topic]?.subscribers ?? []
    for text in wildcards {
      guard let entry = entries[text], entry.filter.matches(topic) else { continue }
      subscribers.formUnion(entry.subscribers)
    }
    return subscribers.sorted()
  }

  private func isCovered(_ filter: TopicFilter) -> Bool {
    wildcards.contains { text in
      guard text != filter.text, let other = entries[text]?.filter else { return false }
      return other.qos >= filter.qos && other.covers(filter)
    }
  }

  private mutating func coverOthers(under wildcard: TopicFilter) -> [Directive] {
    var directives: [Directive] = []
    for (text, entry) in entries
    where !entry.isCovered && text != wildcard.text && wildcard.qos >= entry.filter.qos && wildcard.covers(entry.filter)
    {
      entries[text]?.isCovered = true
      directives.append(.unsubscribe(text))
    }
    return directives
  }

  private mutating func uncover(under wildcard: TopicFilter) -> [Directive] {
    var directives: [Directive] = []
    for (text, entry) in entries where entry.isCovered && wildcard.covers(entry.filter) && !isCovered(entry.filter) {
      entries[text]?.isCovered = false
      directives.append(.subscribe(entry.filter))
    }
    return directives
  }
}
