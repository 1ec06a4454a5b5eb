public import DeviceKit
public import Documents

/// What a device's desired values need done now, and when to ask again.
public struct TwinWork: Sendable, Hashable {
  public struct Read: Sendable, Hashable {
    public var property: String
    public var ticket: DesiredState.Ticket
  }
  public struct Write: Sendable, Hashable {
    public var property: String
    public var ticket: DesiredState.Ticket
    public var value: Value
    /// What the device reported last.
    public var from: Value?
    public var source: DesiredSource
  }
  public var reads: [Read] = []
  public var writes: [Write] = []
  /// Nil: nothing to wait for but a wake-up.
  public var nextWake: Timestamp?
  public var isEmpty: Bool { reads.isEmpty && writes.isEmpty }
}
