internal import Documents
internal import Synchronization

/// How a simulated MQTT device misbehaves.
public enum RoomFault: String, Sendable, CaseIterable {
  /// Publishes nothing; its numbers stand still.
  case silence
  /// Publishes text that is no JSON instead of samples; each takes a number.
  case garbage
  /// Ignores its `set` topic.
  case deaf
}

/// One simulated MQTT device, a room sensor. Safe to use from any thread.
///
/// It publishes to `sensors/room-1` (the prefix can be chosen) objects such as
/// `{"temperature":21.3,"humidity":44.1,"config":{"interval":10},"seq":7,"time":"2026-11-21T04:07:00.000Z"}` and takes
/// `{"interval": 5}` in seconds, 1 to 3600, on `sensors/room-1/set`, which it confirms with a sample at once.
public final class RoomDevice: Sendable {
  public let number: Int
  public let name: String
  public let topic: String
  private let state: Mutex<State>

  struct State {
    var model: RoomModel
    var interval: Duration
    var sequence: UInt64 = 0
    var acknowledged: UInt64 = 0
    var dropped: UInt64 = 0
    var acceptedSettings = 0
    var refusedSettings = 0
    var faults: Set<RoomFault> = []
  }

  init(number: Int, topicPrefix: String, interval: Duration, seed: UInt64) {
    self.number = number
    name = "room-\(number)"
    topic = "\(topicPrefix)/room-\(number)"
    state = Mutex(State(model: RoomModel(number: number, seed: seed), interval: interval))
  }

  public var setTopic: String { topic + "/set" }
  /// The time between two samples.
  public var interval: Duration { state.withLock { $0.interval } }
  /// The number of the latest sample; the first is 1.
  public var sequence: UInt64 { state.withLock { $0.sequence } }
  /// Samples that the broker has acknowledged.
  public var acknowledged: UInt64 { state.withLock { $0.acknowledged } }
  /// Samples given up because the queue to the broker was full.
  public var dropped: UInt64 { state.withLock { $0.dropped } }
  /// Messages on the `set` topic that were taken.
  public var acceptedSettings: Int { state.withLock { $0.acceptedSettings } }
  /// Messages on the `set` topic that were no such object, or out of range.
  public var refusedSettings: Int { state.withLock { $0.refusedSettings } }

  public var faults: Set<RoomFault> {
    get { state.withLock { $0.faults } }
    set { state.withLock { $0.faults = newValue } }
  }

  func countAcknowledged() { state.withLock { $0.acknowledged += 1 } }
  func countDropped() { state.withLock { $0.dropped += 1 } }

  /// The next sample's number and payload, `interval` after the last; nil while the device is silent.
  func sample(at time: Timestamp) -> (sequence: UInt64, payload: String)? {
    state.withLock { state in
      guard !state.faults.contains(.silence) else { return nil }
      state.model.step(by: state.interval)
      state.sequence += 1
      if state.faults.contains(.garbage) { return (state.sequence, "{\"temperature\":21.") }
      return (state.sequence, state.payload(at: time))
    }
  }

  /// Takes a message of the `set` topic; true where it changed the interval or confirmed it.
  func apply(setting payload: [UInt8]) -> Bool {
    var parser = JSONParser(payload)
    let wanted = (try? parser.parse())?["interval"]?.int
    return state.withLock { state in
      guard !state.faults.contains(.deaf) else { return false }
      guard let wanted, (1...3_600).contains(wanted) else {
        state.refusedSettings += 1
        return false
      }
      state.acceptedSettings += 1
      state.interval = .seconds(wanted)
      return true
    }
  }
}

extension RoomDevice.State {
  fileprivate func payload(at time: Timestamp) -> String {
    let seconds = interval.seconds
    let shown = seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
    return """
      {"temperature":\(tenths(model.temperatureTenths)),"humidity":\(tenths(model.humidityTenths)),\
      "config":{"interval":\(shown)},"seq":\(sequence),"time":"\(time)"}
      """
  }
}

/// A number of tenths with its decimal point.
private func tenths(_ value: Int) -> String {
  "\(value < 0 ? "-" : "")\(value.magnitude / 10).\(value.magnitude % 10)"
}
