package import DeviceKit
internal import Documents
package import MQTTClient

/// One entry of `Discovery.spec.mqtt.topics`.
package struct TopicPattern: Sendable, Hashable {
  package var filter: TopicFilter
  /// The Device's name with `{1}` …; nil: none given.
  package var name: String?
  /// The Device's base with `{1}` …; nil: the topic.
  package var base: String?
  package var modelName: String?

  package init(filter: TopicFilter, name: String? = nil, base: String? = nil, modelName: String? = nil) {
    self.filter = filter
    self.name = name
    self.base = base
    self.modelName = modelName
  }

  /// `text` with `{1}`, `{2}` … replaced by the captures.
  static func fill(_ text: String, _ captures: [String]) -> String {
    var result = text
    for (index, capture) in captures.enumerated() {
      result = result.split(separator: "{\(index + 1)}", omittingEmptySubsequences: false).joined(separator: capture)
    }
    return result
  }

  /// Numbers in braces of `text` that no wildcard fills.
  static func unfilled(_ text: String, wildcards: Int) -> String? {
    let filled = fill(text, Array(repeating: "x", count: wildcards))
    guard let open = filled.firstIndex(of: "{"), let close = filled[open...].firstIndex(of: "}") else { return nil }
    return String(filled[open...close])
  }
}

/// Devices found by the topics on which they publish: a pure state machine.
///
/// A device is there from its first message that is not empty. An empty message, which is how a retained one is
/// cleared, takes it away. Silence does not: a sensor may report once a week, so a device once heard stays for as long
/// as the discovery runs.
package struct TopicDiscovery: Sendable {
  private struct Found: Sendable {
    var device: DiscoveredDevice
    var topics: Set<String>
  }

  package static let limit = 10_000

  private let patterns: [TopicPattern]
  private let broker: String
  private var found: [String: Found] = [:]
  private var baseOfTopic: [String: String] = [:]
  /// Devices that were not taken since there are ``limit`` already.
  private(set) var omitted: Set<String> = []

  package init(_ patterns: [TopicPattern], broker: String) {
    self.patterns = patterns
    self.broker = broker
  }

  package var devices: [DiscoveredDevice] { found.keys.sorted().compactMap { found[$0]?.device } }

  /// Takes one message; true: the set has changed.
  package mutating func handle(_ topic: String, _ payload: [UInt8]) -> Bool {
    if let base = baseOfTopic[topic] {
      guard payload.isEmpty else { return false }
      baseOfTopic[topic] = nil
      found[base]?.topics.remove(topic)
      guard found[base]?.topics.isEmpty ?? false else { return false }
      found[base] = nil
      return true
    }
    guard !payload.isEmpty else { return false }
    for pattern in patterns {
      guard let captures = pattern.filter.captures(of: topic) else { continue }
      let base = pattern.base.map { TopicPattern.fill($0, captures) } ?? topic
      if found[base] != nil {
        baseOfTopic[topic] = base
        found[base]?.topics.insert(topic)
        return false
      }
      guard found.count < TopicDiscovery.limit else {
        if omitted.count < TopicDiscovery.limit { omitted.insert(base) }
        return false
      }
      baseOfTopic[topic] = base
      let device = DiscoveredDevice(
        identity: ["topic": base], stableID: base,
        nameHint: pattern.name.map { TopicPattern.fill($0, captures) } ?? captures.last ?? "",
        isNameExact: pattern.name != nil, connection: ["brokerRef": ["name": .string(broker)], "base": .string(base)],
        modelName: pattern.modelName)
      found[base] = Found(device: device, topics: [topic])
      return true
    }
    return false
  }
}
