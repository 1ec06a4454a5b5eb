public import Documents

/// Who asked for a desired value.
public enum DesiredSource: Sendable, Hashable, CustomStringConvertible {
  /// `spec.desired` of the Device.
  case spec
  /// A change of the Twin itself, by the user that the API authenticated.
  case local(user: String)
  /// A message of the cloud to this gateway.
  case cloud
  /// A command, which is no desired value, by the user that the API authenticated.
  case command(user: String)

  /// `spec`, `local/<user>`, `cloud` or `command/<user>`.
  public var description: String {
    switch self {
    case .spec: "spec"
    case .local(let user): "local/\(user)"
    case .cloud: "cloud"
    case .command(let user): "command/\(user)"
    }
  }

  /// Reads ``description``; anything else is a local user of that name.
  public init(_ text: String) {
    if text == "spec" {
      self = .spec
    } else if text == "cloud" {
      self = .cloud
    } else if text.hasPrefix("command/") {
      self = .command(user: String(text.dropFirst(8)))
    } else {
      self = .local(user: text.hasPrefix("local/") ? String(text.dropFirst(6)) : text)
    }
  }
}

/// A desired value as it was asked for: possibly one that the model forbids.
public struct DesiredWish: Sendable, Hashable {
  public var value: JSONValue
  public var source: DesiredSource
  /// When the gateway took it.
  public var time: Timestamp
  public init(value: JSONValue, source: DesiredSource, time: Timestamp) {
    self.value = value
    self.source = source
    self.time = time
  }
}
