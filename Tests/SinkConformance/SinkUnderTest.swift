public import DeviceKit
public import Documents
public import SinkKit

/// A sink and its receiver, with all that the rules need to know of them. Every rule gets one that no other has touched.
public struct SinkUnderTest: Sendable {
  /// What a sink or its receiver may lack by its nature.
  public enum Ability: Sendable, Hashable, CaseIterable {
    /// ``SinkUnderTest/takeAway`` makes the receiver vanish, ``SinkUnderTest/bringBack`` makes it return.
    case outage
    /// There is a ``SinkUnderTest/poison``.
    case refusal
    /// ``SinkUnderTest/misconfigured`` makes a writer that the receiver does not let in.
    case credentials
    /// Boolean values arrive as such, or as 0 and 1.
    case booleans
    /// Strings arrive.
    case strings
    /// Objects and arrays arrive.
    case objects
    /// Integers past 2^53 arrive exactly.
    case exactIntegers
    /// Names of devices and properties arrive whatever they contain.
    case anyNames
    /// A record without values, which says by its quality that there is none, arrives.
    case emptyRecords
  }

  /// One record as the receiver has it.
  public struct Arrival: Sendable, Hashable {
    public var device: String
    public var property: String
    /// To the millisecond.
    public var time: Timestamp
    /// What has no value is left out.
    public var fields: [String: Value]
    public init(device: String, property: String, time: Timestamp, fields: [String: Value]) {
      self.device = device
      self.property = property
      self.time = time
      self.fields = fields
    }
  }

  /// Makes another writer for the receiver.
  public var writer: @Sendable () throws -> any SinkWriter
  /// All that the receiver has been given since the start, in the order of its arrival.
  public var received: @Sendable () async throws -> [Arrival]
  public var takeAway: @Sendable () async throws -> Void
  public var bringBack: @Sendable () async throws -> Void
  /// A record that the receiver will never take.
  public var poison: TelemetryRecord?
  public var misconfigured: (@Sendable () throws -> any SinkWriter)?
  /// What no error may tell.
  public var secrets: [String]
  /// Records in the rule of the big batch.
  public var bigBatch: Int

  public init(
    writer: @escaping @Sendable () throws -> any SinkWriter,
    received: @escaping @Sendable () async throws -> [Arrival],
    takeAway: @escaping @Sendable () async throws -> Void = {},
    bringBack: @escaping @Sendable () async throws -> Void = {},
    poison: TelemetryRecord? = nil, misconfigured: (@Sendable () throws -> any SinkWriter)? = nil,
    secrets: [String] = [], bigBatch: Int = 10_000
  ) {
    self.writer = writer
    self.received = received
    self.takeAway = takeAway
    self.bringBack = bringBack
    self.poison = poison
    self.misconfigured = misconfigured
    self.secrets = secrets
    self.bigBatch = bigBatch
  }
}
