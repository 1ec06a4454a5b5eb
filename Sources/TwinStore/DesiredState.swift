public import DeviceKit
public import Documents

/// The life of one property's desired value, as a pure machine: events in, directives out, no clock and no I/O.
///
/// It reads before it writes, writes only while the device is connected and writes are allowed, and calls a wish
/// Confirmed only after a reading that holds it. Every read and write carries a ticket; an answer whose ticket is no
/// longer the awaited one changes nothing.
public struct DesiredState: Sendable, Hashable {
  public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// Waits for the device, for a reading or for the next attempt.
    case pending = "Pending"
    /// Sent, or sent and not yet seen in a reading.
    case writing = "Writing"
    case confirmed = "Confirmed"
    /// All attempts failed; tried again with growing pauses, still Failed until a reading holds it.
    case failed = "Failed"
    /// The model or the device forbids it; not tried again until it changes.
    case rejected = "Rejected"
    /// Its time passed before it was confirmed, or before it could be applied again.
    case expired = "Expired"
    /// Kept and not written: a rule or a person has to release it.
    case held = "Held"
  }

  /// Why nothing may be written at present.
  public enum WriteHold: Sendable, Hashable {
    /// `Device.spec.writes` is Disabled.
    case writesDisabled
    /// The gateway runs read-only.
    case readOnlyGateway
    /// Another gateway may write to the device, at present or soon.
    case leaseLost
    public var reason: String {
      switch self {
      case .writesDisabled: "WritesDisabled"
      case .readOnlyGateway: "ReadOnlyGateway"
      case .leaseLost: "LeaseLost"
      }
    }
    public var message: String {
      switch self {
      case .writesDisabled: "the Device's spec.writes is Disabled"
      case .readOnlyGateway: "the gateway runs read-only"
      case .leaseLost: "the gateway's Lease runs out or is lost: another one may serve the device soon"
      }
    }
  }

  /// What the property's model and the Device say of writing.
  public struct Terms: Sendable, Hashable {
    public var rules: WriteRules
    public var canRead: Bool
    public var hold: WriteHold?
    public init(rules: WriteRules, canRead: Bool = true, hold: WriteHold? = nil) {
      self.rules = rules
      self.canRead = canRead
      self.hold = hold
    }
  }

  /// What else has to come first before anything is written.
  public struct Gate: Sendable, Hashable {
    /// `WaitsFor` or `WaitsForGroup`.
    public var reason: String
    /// Whom it waits for, and how far that is.
    public var message: String
    /// Others are merely being read or written: the reading before the write is still good when the gate opens.
    public var isBrief: Bool
    public init(reason: String, message: String, isBrief: Bool) {
      self.reason = reason
      self.message = message
      self.isBrief = isBrief
    }
  }

  public typealias Ticket = UInt64

  public enum Event: Sendable {
    /// Somebody asks; the wish is typed already, or what forbids it is said. Without a model it is neither (nil).
    case desired(DesiredWish, Result<Value, DesiredRejection>?)
    case cleared
    /// The property is served on these terms; what the present wish is under them (nil without one).
    case served(Terms, Result<Value, DesiredRejection>?)
    /// Nothing serves the property any more.
    case unserved
    case connected
    case disconnected
    /// Whoever carried out the directives is gone; what it did not answer is asked again.
    case interrupted
    case read(Ticket, Result<Reading, DeviceError>)
    /// The device took the write (nil) or did not.
    case written(Ticket, DeviceError?)
    /// The write was fetched by nobody and is taken back.
    case unsent(Ticket)
    /// Others have to come first (nil: nobody). What is parked behind a gate that opens reads anew, then writes.
    case gated(Gate?)
    /// What is parked behind a brief gate is written now.
    case released
    /// A reading that nobody asked for: a poll or a message.
    case reported(Reading)
    /// Time has passed.
    case tick
  }

  public enum Directive: Sendable, Hashable {
    case read(Ticket)
    case write(Ticket, Value)
    /// Send `.tick` at this time, not before; replaces an earlier one.
    case wakeAt(Timestamp)
    case transition(Transition)
  }

  /// A change of phase or reason, for history and Events. Nil: no desired value.
  public struct Transition: Sendable, Hashable {
    public var from: Phase?
    public var to: Phase?
    public var reason: String
    public var message: String
    public init(from: Phase?, to: Phase?, reason: String, message: String) {
      self.from = from
      self.to = to
      self.reason = reason
      self.message = message
    }
  }

  /// The reason of a transition that changes no phase: a local change was kept beside the spec's wish.
  public static let localDrift = "LocalDrift"

  enum ReadPurpose: Sendable, Hashable {
    /// Before a write.
    case before
    /// A Confirmed value after a reconnection.
    case verify
    /// A Confirmed value that a report contradicts.
    case drift
    case readback(since: Timestamp, deadline: Timestamp)
  }

  enum Step: Sendable, Hashable {
    case idle
    case reading(Ticket, ReadPurpose)
    case writing(Ticket)
    /// The device took the write and a reading has not shown it yet.
    case awaiting(since: Timestamp, deadline: Timestamp, nextRead: Timestamp)
    case backingOff(until: Timestamp)
    /// Read, found different, and kept back by the gate; stale: the reading has aged since.
    case parked(isStale: Bool)
  }

  /// Overwrites at the device within ``overwriteWindow`` after which a wish is Held whatever `onDrift` says.
  public static let overwriteLimit = 3
  public static let overwriteWindow = Duration.seconds(600)
  /// The longest pause between two attempts of a Failed wish.
  public static let longestPause = Duration.seconds(300)

  public internal(set) var wish: DesiredWish?
  /// The wish as the model types it; nil where it is forbidden or there is no model.
  public internal(set) var target: Value?
  /// Nil exactly where there is no wish.
  public internal(set) var phase: Phase?
  /// CamelCase, why the phase is what it is; empty where the phase says it all.
  public internal(set) var reason = ""
  public internal(set) var message = ""
  /// Attempts for the present wish since it was set, lost or overwritten.
  public internal(set) var attempts = 0
  /// When a wish of this property was last seen to hold.
  public internal(set) var confirmedAt: Timestamp?

  /// Whether the present wish was ever seen to hold.
  var wasConfirmed = false
  var terms: Terms?
  var isConnected = false
  /// Whether the device was connected before, in this run or, where there was a wish, an earlier one.
  var hasMet = false
  /// Whether `onReconnect` lets the present wish be written in this connection.
  var mayApply = true
  /// A Confirmed value that no reading has shown since the connection began.
  var isUnverified = false
  var step = Step.idle
  /// Outlives nothing: whoever serves the property says it anew.
  var gate: Gate?
  var lastTicket: Ticket = 0
  /// Rounds that ended in Failed.
  var failures = 0
  /// When the device's value was found overwritten, oldest first, within ``overwriteWindow``.
  var overwrites: [Timestamp] = []

  public init() {}

  /// The ticket whose answer the machine waits for.
  public var awaitedTicket: Ticket? {
    switch step {
    case .reading(let ticket, _), .writing(let ticket): ticket
    case .idle, .awaiting, .backingOff, .parked: nil
    }
  }

  /// Seen to hold, and nothing under way that could find otherwise.
  var isSettled: Bool { phase == .confirmed && step == .idle }

  /// Ready to be written as soon as the others of its group are.
  var isReady: Bool {
    guard case .parked(isStale: false) = step else { return false }
    return gate?.isBrief ?? false
  }

  /// Whether a report of the device can change anything.
  public var watchesReports: Bool { wish != nil && target != nil && terms != nil }

  /// When the machine wants a tick; nil: only events move it.
  public var nextWake: Timestamp? {
    var times: [Timestamp] = []
    switch step {
    case .awaiting(_, let deadline, let nextRead): times.append(Swift.min(deadline, nextRead))
    case .backingOff(let until): times.append(until)
    case .idle, .reading, .writing, .parked: break
    }
    if let expiry, mayExpire { times.append(expiry) }
    return times.min()
  }

  var expiry: Timestamp? {
    guard let wish, let terms, let life = terms.rules.expireAfter else { return nil }
    return wish.time + life
  }

  /// A Confirmed wish does not expire by itself: past its time it is merely not applied again.
  var mayExpire: Bool {
    switch phase {
    case .pending, .writing, .failed, .held: true
    case .confirmed, .rejected, .expired, nil: false
    }
  }
}
