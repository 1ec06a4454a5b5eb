public import DeviceKit
internal import Synchronization

/// How every served device's link is: written by sessions from any thread, read by the controllers.
public final class ConnectionBoard: Sendable {
  private let states = Mutex<[DeviceKey: ConnectionState]>([:])

  public init() {}

  /// Takes a state; returns the one before.
  @discardableResult
  public func set(_ device: DeviceKey, _ state: ConnectionState?) -> ConnectionState? {
    states.withLock { states in
      let previous = states[device]
      states[device] = state
      return previous
    }
  }

  public subscript(device: DeviceKey) -> ConnectionState? { states.withLock { $0[device] } }

  /// The devices whose link is up.
  public var connected: Set<DeviceKey> {
    states.withLock { states in Set(states.filter { $0.value == .connected }.keys) }
  }

  public var counts: (connected: Int, disconnected: Int) {
    states.withLock { states in
      let connected = states.values.count { $0 == .connected }
      return (connected, states.count - connected)
    }
  }
}
