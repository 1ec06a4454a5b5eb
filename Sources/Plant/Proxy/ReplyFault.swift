/// A way in which a ``FaultProxy`` spoils a reply.
public enum ReplyFault: String, Sendable, CaseIterable {
  /// The reply never comes.
  case drop
  /// It comes late.
  case delay
  /// Its end is missing.
  case truncate
  /// It comes twice.
  case duplicate
  /// It comes behind the next reply.
  case reorder
  /// One bit is another: anywhere in a frame with a checksum, in the header or the first two bytes of the data unit of
  /// one without.
  case corrupt
  /// An exception comes in its place.
  case exception
  /// The connection is closed in its place.
  case hangUp
}

/// Which replies a ``FaultProxy`` spoils, and how. The same seed spoils the same ones in the same way.
public struct FaultScript: Sendable {
  /// Of a reply to be spoilt, 0 to 1.
  public var chance: Double
  /// One of them is drawn for each reply that is spoilt.
  public var faults: [ReplyFault]
  public var delay: Duration
  /// One of them is drawn for each ``ReplyFault/exception``.
  public var exceptions: [UInt8]

  public init(
    chance: Double = 1, faults: [ReplyFault] = ReplyFault.allCases, delay: Duration = .milliseconds(150),
    exceptions: [UInt8] = [1, 2, 3, 4, 5, 6, 8, 10, 11]
  ) {
    self.chance = chance
    self.faults = faults
    self.delay = delay
    self.exceptions = exceptions
  }

  /// Spoils nothing.
  public static let none = FaultScript(chance: 0)

  func draw(_ random: inout SeededGenerator) -> ReplyFault? {
    guard chance > 0, Double.random(in: 0..<1, using: &random) < chance else { return nil }
    return faults.randomElement(using: &random)
  }
}
