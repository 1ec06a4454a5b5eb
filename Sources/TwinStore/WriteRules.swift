public import DeviceKit
public import Documents

/// How a model wants one property written: tolerance, deadline, attempts, and what to do after a reconnection or a drift.
public struct WriteRules: Sendable, Hashable {
  public enum OnReconnect: String, Sendable, Hashable, CaseIterable {
    /// What the device no longer holds is written again.
    case reapply = "Reapply"
    /// Only a wish that is newer than the property's last confirmation is written.
    case reapplyIfNewer = "ReapplyIfNewer"
    /// Nothing is written after a reconnection until somebody sets the wish again.
    case hold = "Hold"
  }
  public enum OnDrift: String, Sendable, Hashable, CaseIterable {
    case reapply = "Reapply"
    case hold = "Hold"
  }

  /// The largest difference, in the property's unit, at which two numbers still count as equal.
  public var tolerance: Double
  /// The smallest step that the device's encoding can express (its scale); half of it is always tolerated.
  public var resolution: Double
  /// How long a write may take to show in what the device reports.
  public var confirmWithin: Duration
  /// Attempts before a wish is Failed; at least 1.
  public var retries: Int
  public var onReconnect: OnReconnect
  public var onDrift: OnDrift
  /// After this time nothing is written for a wish any more; nil: it never expires.
  public var expireAfter: Duration?
  /// Properties whose wishes must be Confirmed, where they have one, before this one's is written.
  public var after: [String]
  /// The name that the properties share which are written together or not at all; nil: alone.
  public var group: String?

  public init(
    tolerance: Double = 0, resolution: Double = 0, confirmWithin: Duration = .seconds(5), retries: Int = 3,
    onReconnect: OnReconnect = .reapply, onDrift: OnDrift = .reapply, expireAfter: Duration? = nil,
    after: [String] = [], group: String? = nil
  ) {
    self.tolerance = tolerance
    self.resolution = resolution
    self.confirmWithin = confirmWithin
    self.retries = Swift.max(1, retries)
    self.onReconnect = onReconnect
    self.onDrift = onDrift
    self.expireAfter = expireAfter
    self.after = after
    self.group = group
  }

  /// Reads the `write` fragment of a model's property; what it leaves out has its default, and nil is all defaults.
  ///
  /// Throws a ``DeviceError`` that is permanent and names the field.
  public init(write fragment: JSONValue?, resolution: Double = 0) throws(DeviceError) {
    self.init(resolution: resolution.magnitude)
    guard let fragment, !fragment.isNull else { return }
    guard case .object(let members) = fragment else { throw Self.invalid("write", "takes an object") }
    for (key, value) in members {
      let field = "write.\(key)"
      switch key {
      case "tolerance":
        guard let number = value.number, number >= 0 else { throw Self.invalid(field, "takes a number from 0 up") }
        tolerance = number
      case "confirmWithin": confirmWithin = try Self.duration(value, field)
      case "expireAfter": expireAfter = try Self.duration(value, field)
      case "retries":
        guard let count = value.int, (0...100).contains(count) else {
          throw Self.invalid(field, "takes an integer from 0 to 100")
        }
        retries = Swift.max(1, count)
      case "onReconnect":
        guard let rule = value.string.flatMap(OnReconnect.init(rawValue:)) else {
          throw Self.invalid(field, "takes Reapply, ReapplyIfNewer or Hold")
        }
        onReconnect = rule
      case "onDrift":
        guard let rule = value.string.flatMap(OnDrift.init(rawValue:)) else {
          throw Self.invalid(field, "takes Reapply or Hold")
        }
        onDrift = rule
      case "after":
        guard let names = value.array?.compactMap(\.string), names.count == value.array?.count else {
          throw Self.invalid(field, "takes a list of properties")
        }
        after = names
      case "group":
        guard let name = value.string, !name.isEmpty else { throw Self.invalid(field, "takes a name") }
        group = name
      default: throw Self.invalid(field, "is not a field of write")
      }
    }
  }

  private static func duration(_ value: JSONValue, _ field: String) throws(DeviceError) -> Duration {
    guard let duration = value.string.flatMap(Duration.init(manifest:)), duration > .zero else {
      throw invalid(field, "takes a duration such as 5s")
    }
    return duration
  }

  private static func invalid(_ field: String, _ message: String) -> DeviceError {
    DeviceError(reason: "InvalidWriteRules", message: "\(field) \(message)", isPermanent: true)
  }
}
