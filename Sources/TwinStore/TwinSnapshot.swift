public import DeviceKit
public import Documents

/// One device's twin at one moment: every property that its model has or that somebody wished for.
public struct TwinSnapshot: Sendable, Hashable {
  public struct Property: Sendable, Hashable {
    public var name: String
    /// Nil for a wished property that the model does not have.
    public var definition: PropertyDefinition?
    /// The last usable value with the quality it has now. `sourceTime` belongs to the value; `gatewayTime` is when the
    /// gateway last heard of the property. Before anything was heard: no value, Bad, both times 0.
    public var reading: Reading
    /// The twin's version at the last change of value, quality or desired state.
    public var version: UInt64
    public var desired: DesiredWish?
    /// The desired value as the model types it; nil where it is forbidden.
    public var target: Value?
    /// Nil exactly where nothing is desired.
    public var state: DesiredState.Phase?
    /// CamelCase; empty where the state says it all.
    public var reason: String
    public var message: String
    public var attempts: Int
    public var confirmedAt: Timestamp?
    /// What the Device's spec wished when it was last seen; nil where it names no such property.
    public var specDesired: JSONValue?
    /// A local change that the spec overrules (``DesiredPolicy/specWins``).
    public var drift: DesiredDrift?
    /// Whether the device is known to hold what is desired: compared by type, within the tolerance. Nil where nothing
    /// is desired. Uncertain readings count, Bad ones do not; what cannot be read holds once it is Confirmed.
    public var holds: Bool?
    /// Since when it does not: when it was asked for or, if it held since, when it was found otherwise.
    public var differsSince: Timestamp?
  }
  public var device: DeviceKey
  public var uid: String
  public var created: Timestamp
  /// The version at which the twin came to be.
  public var createdVersion: UInt64
  /// Rises with every change of the twin, over restarts too.
  public var version: UInt64
  public var isAttached: Bool
  public var isConnected: Bool
  public var writesEnabled: Bool
  public var policy: DesiredPolicy
  /// In the model's order, then the wished ones that the model does not have, by name.
  public var properties: [Property]

  public subscript(name: String) -> Property? { properties.first { $0.name == name } }
}

/// What changed of a twin since a watcher last looked.
public struct TwinChange: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Reported values or qualities.
  public static let values = TwinChange(rawValue: 1)
  /// Desired values, their states, or the link.
  public static let states = TwinChange(rawValue: 2)
  /// The twin is new or has other properties.
  public static let shape = TwinChange(rawValue: 4)
  /// The twin was removed; it may be there again if `shape` is set too.
  public static let removed = TwinChange(rawValue: 8)
}

/// A desired value's change of state, for Events and history.
public struct TwinTransition: Sendable, Hashable {
  public var device: DeviceKey
  public var property: String
  public var transition: DesiredState.Transition
  public var time: Timestamp
  /// What is desired; nil: nothing any more.
  public var wish: DesiredWish?
  public init(
    device: DeviceKey, property: String, transition: DesiredState.Transition, time: Timestamp, wish: DesiredWish? = nil
  ) {
    self.device = device
    self.property = property
    self.transition = transition
    self.time = time
    self.wish = wish
  }
}

/// Counts since the start, for metrics.
public struct TwinStatistics: Sendable, Hashable {
  /// Samples offered; `unknownPoint` of them found no attached property.
  public var samples = 0
  public var unknownPoint = 0
  /// Samples whose value was not of the property's type: kept as quality Bad.
  public var wrongType = 0
  /// Samples that changed a value or a quality.
  public var changes = 0
  public var reportedRowsWritten = 0
  public var desiredRowsWritten = 0
  public var commits = 0
  public var historyRowsWritten = 0
  /// Entries that went for their age or number.
  public var historyRowsPruned = 0
  /// Changes that were too many in a minute to be kept; the next entry of the property counts them.
  public var historySkipped = 0
  /// Entries that were lost because the disk did not take them in time.
  public var historyDropped = 0
  public var failedCommits = 0
  /// Files that were found damaged while in use, and replaced.
  public var filesReplaced = 0
  /// Transitions that a slow reader of ``TwinStore/transitions()`` lost.
  public var lostTransitions = 0
  public init() {}
}
