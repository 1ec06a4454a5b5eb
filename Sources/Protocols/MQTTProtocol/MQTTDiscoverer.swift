internal import DeviceKit
internal import Documents
internal import Logging
internal import MQTTClient
internal import Synchronization

/// Finds devices by listening on one broker, by topic pattern and by convention.
final class MQTTDiscoverer: Discoverer {
  private struct State {
    var topics: TopicDiscovery
    var conventions: [any DiscoveryConvention]
    var isChanged = false
    var hasSettled = false
    var failure: MQTTError?
    var refused: Set<String> = []
  }

  private let connection: MQTTConnection
  private let every: Duration
  private let broker: String
  private let filters: [TopicFilter]
  private let unserved: [String]
  private let state: Mutex<State>

  /// How long the retained messages have to arrive before the first report.
  private static let settling = Duration.seconds(2)
  /// Changes within this time make one report.
  private static let coalescing = Duration.milliseconds(500)
  /// How long the broker may take before the discoverer gives up.
  private static let patience = Duration.seconds(15)

  init(
    _ request: DiscoveryRequest, broker: String, connection: MQTTConnection, logger: Logger
  ) throws(DeviceError) {
    self.connection = connection
    self.broker = broker
    every = request.every
    var filters: [TopicFilter] = []
    var patterns: [TopicPattern] = []
    for (index, entry) in (request.specification["topics"]?.array ?? []).enumerated() {
      let pattern = try MQTTDiscoverer.pattern(entry, at: index)
      patterns.append(pattern)
      filters.append(pattern.filter)
    }
    var conventions: [any DiscoveryConvention] = []
    var unserved: [String] = []
    for name in (request.specification["conventions"]?.array ?? []).compactMap(\.string) {
      if let convention = Conventions.named(name) {
        conventions.append(convention)
        for text in type(of: convention).filters {
          if let filter = try? TopicFilter(text) { filters.append(filter) }
        }
      } else {
        unserved.append(name)
      }
    }
    guard !filters.isEmpty || !unserved.isEmpty else {
      throw DeviceError(
        reason: "InvalidSpec", message: "spec.mqtt: give topics or conventions, else nothing can be found",
        isPermanent: true)
    }
    self.filters = filters
    self.unserved = unserved
    state = Mutex(State(topics: TopicDiscovery(patterns, broker: broker), conventions: conventions))
  }

  private static func pattern(_ entry: JSONValue, at index: Int) throws(DeviceError) -> TopicPattern {
    func invalid(_ field: String, _ message: String) -> DeviceError {
      DeviceError(
        reason: "InvalidSpec", message: "spec.mqtt.topics[\(index)].\(field): \(message)", isPermanent: true)
    }
    let text = entry["pattern"]?.string ?? ""
    let filter: TopicFilter
    do throws(MQTTError) {
      filter = try TopicFilter(text)
    } catch {
      throw invalid("pattern", error.message)
    }
    let wildcards = text.utf8.count { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
    for field in ["name", "base"] {
      if let template = entry[field]?.string, let missing = TopicPattern.unfilled(template, wildcards: wildcards) {
        throw invalid(field, "\(missing) has no wildcard in '\(text)', which has \(wildcards)")
      }
    }
    return TopicPattern(
      filter: filter, name: entry["name"]?.string, base: entry["base"]?.string,
      modelName: entry[path: "modelRef", "name"]?.string)
  }

  func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError) {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { state in
      state.hasSettled = false
      state.failure = nil
      state.refused = []
    }
    let subscription = connection.subscribe(filters) { [weak self] event in
      if self?.handle(event) ?? false { wake.yield() }
    }
    // Cancelled by the `defer` below.
    let timer = Task { [connection, every, patience = Self.patience, settling = Self.settling, weak self] in
      let start = ContinuousClock.now
      while connection.state != .connected, !Task.isCancelled, ContinuousClock.now - start < patience {
        try? await Task.sleep(for: .milliseconds(50))
      }
      self?.patienceIsOver()
      wake.yield()
      try? await Task.sleep(for: settling)
      self?.settled()
      while !Task.isCancelled {
        wake.yield()
        try? await Task.sleep(for: every)
        self?.markChanged()
      }
    }
    defer {
      timer.cancel()
      subscription.cancel()
    }
    for await _ in wakes {
      if let failure = state.withLock({ $0.failure }) {
        throw DeviceError(reason: failure.reason, message: failure.message)
      }
      guard state.withLock({ $0.hasSettled && $0.isChanged }) else { continue }
      try? await Task.sleep(for: Self.coalescing)
      if Task.isCancelled { return }
      await report(takeReport())
    }
  }

  /// Takes one event; true: the reporting task has something to look at.
  private func handle(_ event: MQTTEvent) -> Bool {
    state.withLock { state in
      switch event {
      case .messages(let messages):
        var isChanged = false
        for message in messages {
          if state.topics.handle(message.topic, message.payload) { isChanged = true }
          for index in state.conventions.indices
          where state.conventions[index].handle(message.topic, message.payload) {
            isChanged = true
          }
        }
        if isChanged { state.isChanged = true }
        return isChanged && state.hasSettled
      case .state(.disconnected(let error)):
        // Before the first connection the timer decides how long to wait.
        guard state.hasSettled else { return false }
        state.failure = error
        return true
      case .state: return false
      case .refused(let filter):
        state.refused.insert(filter.text)
        state.isChanged = true
        return state.hasSettled
      }
    }
  }

  private func patienceIsOver() {
    guard case .disconnected(let error) = connection.state else {
      if connection.state == .connecting {
        state.withLock { $0.failure = MQTTError(.timeout, "the broker '\(broker)' does not answer") }
      }
      return
    }
    state.withLock { $0.failure = error }
  }

  private func settled() {
    state.withLock { state in
      state.hasSettled = true
      state.isChanged = true
    }
  }

  private func markChanged() { state.withLock { $0.isChanged = true } }

  private func takeReport() -> DiscoveryReport {
    state.withLock { state in
      state.isChanged = false
      var devices = state.topics.devices
      for convention in state.conventions {
        devices += convention.devices.map { $0.discovered(broker: broker) }
      }
      var warnings = unserved.map { "the convention '\($0)' is not served by this version; its devices are not found" }
      warnings += state.refused.sorted().map { "the broker refuses the subscription '\($0)'" }
      if !state.topics.omitted.isEmpty {
        warnings.append(
          "more than \(TopicDiscovery.limit) devices match the patterns; \(state.topics.omitted.count) are left out")
      }
      return DiscoveryReport(devices: devices, warnings: warnings)
    }
  }
}
