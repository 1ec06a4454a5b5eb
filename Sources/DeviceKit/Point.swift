internal import Synchronization

/// A device by its Kubernetes coordinates.
public struct DeviceKey: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var namespace: String
  public var name: String
  public init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
  }
  public var description: String { "\(namespace)/\(name)" }
  public static func < (left: DeviceKey, right: DeviceKey) -> Bool {
    (left.namespace, left.name) < (right.namespace, right.name)
  }
}

/// One property of one device.
public struct PointName: Sendable, Hashable {
  public var device: DeviceKey
  public var property: String
  public init(device: DeviceKey, property: String) {
    self.device = device
    self.property = property
  }
}

/// An interned ``PointName``: small, dense, stable for the life of the process.
public struct PointID: Sendable, Hashable, Comparable {
  public var index: UInt32
  public init(index: UInt32) { self.index = index }
  public static func < (left: PointID, right: PointID) -> Bool { left.index < right.index }
}

/// Interns points. Shared by all layers of one gateway; never forgets a name.
public final class PointTable: Sendable {
  private struct State {
    var ids: [PointName: PointID] = [:]
    var names: [PointName] = []
  }
  private let state = Mutex(State())

  public init() {}

  /// The point's ID, the same at every call.
  public func id(of name: PointName) -> PointID {
    state.withLock { state in
      if let id = state.ids[name] { return id }
      let id = PointID(index: UInt32(state.names.count))
      state.names.append(name)
      state.ids[name] = id
      return id
    }
  }

  /// The name that ``id(of:)`` interned. `id` must come from this table.
  public func name(of id: PointID) -> PointName { state.withLock { $0.names[Int(id.index)] } }

  /// How many points there are; their IDs are `0..<count`.
  public var count: Int { state.withLock { $0.names.count } }
}
