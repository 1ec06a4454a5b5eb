import DeviceKit
import Documents
import Synchronization

/// Keeps what a session delivers.
final class CollectingFeed: DeviceFeed {
  struct State {
    var batches: [SampleBatch] = []
    var connections: [ConnectionState] = []
  }
  let state = Mutex(State())

  func deliver(_ batch: SampleBatch) async { state.withLock { $0.batches.append(batch) } }
  func connection(of device: DeviceKey, is state: ConnectionState) {
    self.state.withLock { $0.connections.append(state) }
  }

  var batches: [SampleBatch] { state.withLock { $0.batches } }
  var connections: [ConnectionState] { state.withLock { $0.connections } }

  /// The last sample of a point.
  func last(_ point: Int) -> Reading? {
    for batch in batches.reversed() {
      for index in (0..<batch.count).reversed() where batch.points[index].index == UInt32(point) {
        return batch.reading(at: index)
      }
    }
    return nil
  }
}

/// Waits until `condition` holds, five minutes at most; answers whether it did.
func eventually(within limit: Duration = .seconds(300), _ condition: () throws -> Bool) async rethrows -> Bool {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try condition() { return true }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return try condition()
}

func property(
  _ name: String, _ type: PropertyType, _ access: PropertyDefinition.Access, _ binding: JSONValue
) -> PropertyDefinition {
  PropertyDefinition(name: name, type: type, access: access, pollEvery: .milliseconds(50), binding: binding)
}

func property(_ name: String, _ type: PropertyType, _ binding: JSONValue) -> PropertyDefinition {
  property(name, type, .read, binding)
}

func sessionRequest(_ properties: [PropertyDefinition], connection: JSONValue) -> SessionRequest {
  SessionRequest(
    device: DeviceKey(namespace: "default", name: "boiler-1"), connection: connection, properties: properties,
    points: properties.indices.map { PointID(index: UInt32($0)) })
}

func tcp(_ port: Int, unit: Int64 = 1, timeout: String = "500ms", framing: String = "TCP") -> JSONValue {
  [
    "tcp": ["host": "127.0.0.1", "port": .integer(Int64(port)), "framing": .string(framing)], "unitID": .integer(unit),
    "timeout": .string(timeout),
  ]
}
