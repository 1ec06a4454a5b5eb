/// What a property is at one moment, for a server that shows it to others.
public struct PropertyState: Sendable, Hashable {
  /// As the device's model has it.
  public var type: PropertyType
  /// The type of an array's elements, where the model says it.
  public var items: PropertyType?
  public var reading: Reading
  /// What was wished and is still on its way to the device; nil where nothing is.
  public var wished: Value?

  public init(type: PropertyType, items: PropertyType? = nil, reading: Reading, wished: Value? = nil) {
    self.type = type
    self.items = items
    self.reading = reading
    self.wished = wished
  }
}

/// A value that a client of a server wants a property to have.
public struct PropertyWish: Sendable, Hashable {
  public var name: PointName
  public var value: Value
  public init(name: PointName, value: Value) {
    self.name = name
    self.value = value
  }
}

/// Why wishes were not taken; none of them was.
public struct WishRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    /// No device of this name is served by this gateway.
    case notServed = "NotServed"
    /// The device's model has no such property.
    case unknownProperty = "UnknownProperty"
    /// The model lets nobody write the property.
    case readOnly = "ReadOnly"
    /// The value is of another type, out of bounds or not among the allowed ones.
    case forbiddenValue = "ForbiddenValue"
    /// `spec.writes` of the Device is Disabled, or the gateway runs read-only.
    case writesDisabled = "WritesDisabled"
    /// The Device's spec names the property, and its policy is SpecWins.
    case specWins = "SpecWins"
    /// The disk refused, or the gateway is shutting down.
    case notStored = "NotStored"
  }
  public var reason: Reason
  /// Names the device, the property and the bound.
  public var message: String
  public init(_ reason: Reason, _ message: String) {
    self.reason = reason
    self.message = message
  }
  public var description: String { message }
}

/// The way of a server's face to the properties of the gateway's devices. Implemented by the gateway over the twins;
/// safe from any task or thread.
public protocol PropertyAccess: Sendable {
  /// The property's point, the same at every call; the device need not be there yet.
  func point(of name: PointName) -> PointID

  /// Rises whenever a property may have another type, value, quality or wish than before.
  var version: UInt64 { get }

  /// The properties as they are at one moment, one for each point in the same order; nil for what no device has. Works
  /// in memory alone and returns at once.
  func states(of points: [PointID]) -> [PropertyState?]

  /// Wishes values in the name of `author`, such as `modbus:10.1.0.7`, and returns once they are on disk (fsync). All are
  /// taken or none. That the devices take them too is not waited for.
  func wish(_ wishes: [PropertyWish], by author: String) async throws(WishRefusal)
}
