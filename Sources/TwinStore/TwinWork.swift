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
    /// What is written together or not at all has the same name.
    public var group: String?
  }
  /// A command that is to be sent once.
  public struct Command: Sendable, Hashable {
    public var id: UInt64
    public var property: String
    public var value: Value
    /// What the device reported last.
    public var from: Value?
    public var source: DesiredSource
    /// Whether the property is to be read back afterwards.
    public var verifies: Bool
    var row: CommandRow?
  }
  public var reads: [Read] = []
  /// In the model's order, the members of a group next to each other; a group's are all here or none.
  public var writes: [Write] = []
  /// Comes without reads and writes.
  public var command: Command?
  /// Nil: nothing to wait for but a wake-up.
  public var nextWake: Timestamp?
  public var isEmpty: Bool { reads.isEmpty && writes.isEmpty && command == nil }
}
