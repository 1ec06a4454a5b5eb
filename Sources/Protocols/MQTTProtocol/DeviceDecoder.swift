internal import DeviceKit
internal import Documents
internal import MQTTClient

/// Turns the messages of one device into samples and remembers the last of each property: pure, no clock.
struct DeviceDecoder {
  private struct Entry {
    var property: Int
    /// The slot of the value in the topic's tree; nil for a payload of bare text.
    var slot: Int?
    var timeSlot: Int?
  }

  private struct Topic {
    var tree: PathTree
    var entries: [Entry]
    /// Whether a message came since the connection was made.
    var isHeard = false
    var hasJSON: Bool
  }

  private let names: [String]
  private let types: [PropertyType]
  private let points: [PointID]
  private var topics: [Topic] = []
  private var topicIndex: [String: Int] = [:]
  private var last: [Reading?]

  /// `bindings` has nil for a property that is not listened for. The paths are valid.
  init(_ properties: [PropertyDefinition], points: [PointID], bindings: [PropertyBinding?]) {
    names = properties.map(\.name)
    types = properties.map(\.type)
    self.points = points
    last = Array(repeating: nil, count: properties.count)
    var paths: [[String]] = []
    for (property, binding) in bindings.enumerated() {
      guard let binding else { continue }
      let topic = topicIndex[binding.topic] ?? topics.count
      if topic == topics.count {
        topicIndex[binding.topic] = topic
        paths.append([])
        guard let empty = try? PathTree([]) else { continue }
        topics.append(Topic(tree: empty, entries: [], hasJSON: false))
      }
      func slot(_ path: String) -> Int {
        if let known = paths[topic].firstIndex(of: path) { return known }
        paths[topic].append(path)
        return paths[topic].count - 1
      }
      topics[topic].entries.append(
        Entry(property: property, slot: binding.isText ? nil : slot(binding.path), timeSlot: binding.timePath.map(slot))
      )
      if !binding.isText || binding.timePath != nil { topics[topic].hasJSON = true }
    }
    for index in topics.indices {
      if let tree = try? PathTree(paths[index]) { topics[index].tree = tree }
    }
  }

  /// The last reading of the property of this name; nil where nothing was heard or nobody listens.
  func lastReading(of name: String) -> Reading? { names.firstIndex(of: name).flatMap { last[$0] } }

  /// The broker sends its retained messages again after a connection: they may be newer than what is known.
  mutating func connectionMade() {
    for index in topics.indices { topics[index].isHeard = false }
  }

  mutating func samples(of messages: [MQTTMessage], counters: DropCounters) -> SampleBatch {
    var batch = SampleBatch()
    for message in messages {
      guard let index = topicIndex[message.topic] else { continue }
      if batch.isEmpty { batch.reserveCapacity(messages.count * topics[index].entries.count) }
      if message.isRetained, topics[index].isHeard {
        counters.add(.retainedRepeat)
        continue
      }
      topics[index].isHeard = true
      // An empty retained message only clears what the broker kept (MQTT 3.1.1, section 3.3.1.3).
      if message.payload.isEmpty, topics[index].hasJSON { continue }
      var values: [PayloadValue] = []
      if topics[index].hasJSON {
        do throws(JSONError) {
          values = try PayloadScanner.values(in: message.payload, at: topics[index].tree)
        } catch {
          counters.add(.malformedJSON)
          let cause = "malformed JSON on '\(message.topic)': \(error.message) at byte \(error.offset)"
          for entry in topics[index].entries { doubt(entry.property, cause, message.arrival, &batch) }
          continue
        }
      }
      for entry in topics[index].entries { take(entry, values, message, counters, &batch) }
    }
    return batch
  }

  /// A sample for every property heard so far: its last value, Uncertain for `cause`.
  mutating func doubtAll(_ cause: String, at time: Timestamp) -> SampleBatch {
    var batch = SampleBatch()
    for property in last.indices where last[property]?.quality == .good { doubt(property, cause, time, &batch) }
    return batch
  }

  private mutating func take(
    _ entry: Entry, _ values: [PayloadValue], _ message: MQTTMessage, _ counters: DropCounters,
    _ batch: inout SampleBatch
  ) {
    let property = entry.property
    let found = entry.slot.map { values[$0] } ?? .string(String(decoding: message.payload, as: UTF8.self))
    if found == .missing {
      counters.add(.missingPath)
      return
    }
    let isText = entry.slot == nil
    guard let value = isText ? found.parsed(as: types[property]) : found.value(as: types[property]) else {
      counters.add(.wrongType)
      let cause = "'\(message.topic)' has \(found.typeName) where \(types[property]) is expected"
      doubt(property, cause, message.arrival, &batch)
      return
    }
    var sourceTime = message.arrival
    if let slot = entry.timeSlot {
      if let time = values[slot].time { sourceTime = time } else { counters.add(.badTime) }
    }
    batch.append(
      points[property], value, quality: .good, sourceTime: sourceTime.nanoseconds,
      gatewayTime: message.arrival.nanoseconds)
    last[property] = Reading(value, sourceTime: sourceTime, gatewayTime: message.arrival)
  }

  /// The last good value once more, now Uncertain; Bad where there never was one.
  private mutating func doubt(_ property: Int, _ cause: String, _ time: Timestamp, _ batch: inout SampleBatch) {
    var reading = last[property] ?? Reading(nil, quality: .bad, sourceTime: time, gatewayTime: time)
    reading.quality = reading.value == nil ? .bad : .uncertain
    reading.gatewayTime = time
    reading.cause = cause
    last[property] = reading
    batch.append(points[property], reading)
  }
}
