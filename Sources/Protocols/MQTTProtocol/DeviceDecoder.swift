internal import DeviceKit
internal import Documents

/// Turns the messages of one device into samples and remembers the last of each property: pure, no clock.
struct DeviceDecoder {
  /// A message as it lies in the connection's memory, for as long as it is decoded.
  struct Message {
    /// As ``number(ofTopic:)`` has it.
    var topic: Int
    var payload: UnsafeBufferPointer<UInt8>
    var isRetained: Bool
    var arrival: Timestamp
  }

  private struct Entry {
    var property: Int
    var type: PropertyType
    var point: PointID
    /// The slot of the value in the topic's tree; nil for a payload of bare text.
    var slot: Int?
    var timeSlot: Int?
  }

  private struct Topic {
    var name: String
    var tree: PathTree
    var entries: [Entry]
    /// Whether a message came since the connection was made.
    var isHeard = false
    var hasJSON: Bool
  }

  private let names: [String]
  private let points: [PointID]
  private var topics: [Topic] = []
  private var topicIndex: [String: Int] = [:]
  private var last: [Last]
  /// What a message had at the paths of its topic; kept for its memory.
  private var values: [PayloadValue] = []

  /// The last sample of a property. The value is apart where it does not fit 64 bits.
  private struct Last {
    var kind = SampleKind.none
    var payload: UInt64 = 0
    var quality = Quality.bad
    var sourceTime: Int64 = 0
    var gatewayTime: Int64 = 0
    var isHeard = false
    /// Nil unless `kind` is `.side`.
    var side: Value?
    var cause: String?

    /// Takes note of a good value that fits 64 bits, or of one that is set apart afterwards.
    mutating func note(_ kind: SampleKind, _ payload: UInt64, at sourceTime: Int64, arrival: Int64) {
      self.kind = kind
      self.payload = payload
      quality = .good
      self.sourceTime = sourceTime
      gatewayTime = arrival
      isHeard = true
      if side != nil { side = nil }
      if cause != nil { cause = nil }
    }

    var value: Value? {
      switch kind {
      case .none: nil
      case .boolean: .boolean(payload != 0)
      case .integer: .integer(Int64(bitPattern: payload))
      case .unsigned: .unsigned(payload)
      case .number: .number(Double(bitPattern: payload))
      case .side: side
      }
    }

    var reading: Reading {
      Reading(
        value, quality: quality, sourceTime: Timestamp(nanoseconds: sourceTime),
        gatewayTime: Timestamp(nanoseconds: gatewayTime), cause: cause ?? "")
    }
  }

  /// `bindings` has nil for a property that is not listened for. The paths are valid.
  init(_ properties: [PropertyDefinition], points: [PointID], bindings: [PropertyBinding?]) {
    names = properties.map(\.name)
    self.points = points
    last = Array(repeating: Last(), count: properties.count)
    var paths: [[String]] = []
    for (property, binding) in bindings.enumerated() {
      guard let binding else { continue }
      let topic = topicIndex[binding.topic] ?? topics.count
      if topic == topics.count {
        topicIndex[binding.topic] = topic
        paths.append([])
        guard let empty = try? PathTree([]) else { continue }
        topics.append(Topic(name: binding.topic, tree: empty, entries: [], hasJSON: false))
      }
      func slot(_ path: String) -> Int {
        if let known = paths[topic].firstIndex(of: path) { return known }
        paths[topic].append(path)
        return paths[topic].count - 1
      }
      topics[topic].entries.append(
        Entry(
          property: property, type: properties[property].type, point: points[property],
          slot: binding.isText ? nil : slot(binding.path), timeSlot: binding.timePath.map(slot))
      )
      if !binding.isText || binding.timePath != nil { topics[topic].hasJSON = true }
    }
    for index in topics.indices {
      if let tree = try? PathTree(paths[index]) { topics[index].tree = tree }
    }
  }

  /// The last reading of the property of this name; nil where nothing was heard or nobody listens.
  func lastReading(of name: String) -> Reading? {
    names.firstIndex(of: name).flatMap { last[$0].isHeard ? last[$0].reading : nil }
  }

  /// The broker sends its retained messages again after a connection: they may be newer than what is known.
  mutating func connectionMade() {
    for index in topics.indices { topics[index].isHeard = false }
  }

  /// The number of one of the device's topics; nil for any other.
  func number(ofTopic topic: String) -> Int? { topicIndex[topic] }

  /// Appends the message's samples to the batch.
  mutating func take(_ message: Message, into batch: inout SampleBatch, counters: DropCounters) {
    let index = message.topic
    if message.isRetained, topics[index].isHeard { return counters.add(.retainedRepeat) }
    topics[index].isHeard = true
    if topics[index].hasJSON {
      // An empty retained message only clears what the broker kept (MQTT 3.1.1, section 3.3.1.3).
      if message.payload.isEmpty { return }
      do throws(JSONError) {
        try PayloadScanner.read(message.payload, at: topics[index].tree, into: &values)
      } catch {
        counters.add(.malformedJSON)
        let cause = "malformed JSON on '\(topics[index].name)': \(error.message) at byte \(error.offset)"
        for entry in topics[index].entries { doubt(entry.property, cause, message.arrival, &batch) }
        return
      }
    }
    for entry in topics[index].entries { take(entry, message, counters, &batch) }
  }

  /// A sample for every property heard so far: its last value, Uncertain for `cause`.
  mutating func doubtAll(_ cause: String, at time: Timestamp) -> SampleBatch {
    var batch = SampleBatch()
    for property in last.indices where last[property].quality == .good { doubt(property, cause, time, &batch) }
    return batch
  }

  private mutating func take(
    _ entry: Entry, _ message: Message, _ counters: DropCounters, _ batch: inout SampleBatch
  ) {
    let property = entry.property
    let value: Value?
    if let slot = entry.slot {
      // Most are numbers: nothing is copied that has a reference count.
      if let (kind, payload) = values[slot].plain(as: entry.type) {
        let time = sourceTime(entry, message, counters)
        batch.append(
          entry.point, kind: kind, payload: payload, quality: .good, sourceTime: time.nanoseconds,
          gatewayTime: message.arrival.nanoseconds)
        last[property].note(kind, payload, at: time.nanoseconds, arrival: message.arrival.nanoseconds)
        return
      }
      if case .missing = values[slot] {
        counters.add(.missingPath)
        return
      }
      value = values[slot].value(as: entry.type)
    } else {
      value = PayloadValue.string(String(decoding: message.payload, as: UTF8.self)).parsed(as: entry.type)
    }
    guard let value else {
      counters.add(.wrongType)
      let found = entry.slot.map { values[$0] } ?? .string(String(decoding: message.payload, as: UTF8.self))
      let cause = "'\(topics[message.topic].name)' has \(found.typeName) where \(entry.type) is expected"
      doubt(property, cause, message.arrival, &batch)
      return
    }
    let time = sourceTime(entry, message, counters)
    let index = batch.count
    batch.append(
      entry.point, value, quality: .good, sourceTime: time.nanoseconds, gatewayTime: message.arrival.nanoseconds)
    last[property].note(
      batch.kinds[index], batch.payloads[index], at: time.nanoseconds, arrival: message.arrival.nanoseconds)
    if batch.kinds[index] == .side { last[property].side = value }
  }

  private func sourceTime(_ entry: Entry, _ message: Message, _ counters: DropCounters) -> Timestamp {
    guard let slot = entry.timeSlot else { return message.arrival }
    if let time = values[slot].time { return time }
    counters.add(.badTime)
    return message.arrival
  }

  /// The last good value once more, now Uncertain; Bad where there never was one.
  private mutating func doubt(_ property: Int, _ cause: String, _ time: Timestamp, _ batch: inout SampleBatch) {
    if !last[property].isHeard { last[property].sourceTime = time.nanoseconds }
    last[property].isHeard = true
    last[property].quality = last[property].kind == .none ? .bad : .uncertain
    last[property].gatewayTime = time.nanoseconds
    last[property].cause = cause
    batch.append(points[property], last[property].reading)
  }
}
