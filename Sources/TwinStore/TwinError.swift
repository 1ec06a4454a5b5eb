public import DeviceKit

/// Why the twins refused a change or cannot be kept.
public enum TwinError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One property's desired value that cannot be.
  public struct Problem: Sendable, Hashable {
    public var property: String
    /// What forbids it, with the bound.
    public var message: String
    public init(property: String, message: String) {
      self.property = property
      self.message = message
    }
  }
  case notFound(DeviceKey)
  /// What is wished of the twin has changed since the version that the change was made for; read it again and retry.
  case conflict(DeviceKey, current: UInt64)
  case invalid([Problem])
  /// A command that cannot be carried out as things stand.
  case refused(TwinCommandRefusal)
  /// The disk refused; a retry can help once its cause is gone.
  case storage(String)
  /// The store is closed: the gateway is shutting down.
  case closed

  public var description: String {
    switch self {
    case .notFound(let device): "there is no twin \(device)"
    case .conflict(let device, let current): "the twin \(device) has changed since; it is at version \(current)"
    case .invalid(let problems): problems.map { "\($0.property): \($0.message)" }.joined(separator: ", ")
    case .refused(let refusal): refusal.message
    case .storage(let message): "the twins cannot be stored: \(message)"
    case .closed: "the twins are closed: the gateway is shutting down"
    }
  }
}
