public import Documents

/// Whose wish counts where the Device's spec and a change of the Twin itself both name a property.
public enum DesiredPolicy: String, Sendable, Hashable, CaseIterable {
  /// The latest change, wherever it comes from.
  case latestWins = "LatestWins"
  /// What the spec names; a local change of it is kept as ``DesiredDrift`` and never written.
  case specWins = "SpecWins"
}

/// A local change that did not become desired, since the Device's spec names the property and wins.
public struct DesiredDrift: Sendable, Hashable {
  public var value: JSONValue
  /// `local/<user>`.
  public var by: DesiredSource
  public var time: Timestamp
  public init(value: JSONValue, by: DesiredSource, time: Timestamp) {
    self.value = value
    self.by = by
    self.time = time
  }

  /// `{value, by, time}`, as a Twin shows it.
  public var json: JSONValue {
    ["value": value, "by": .string(by.description), "time": .string(time.description)]
  }

  /// Reads what ``json`` wrote; nil for anything else.
  init?(_ json: JSONValue) {
    guard let value = json["value"], let by = json["by"]?.string,
      let time = json["time"]?.string.flatMap(Timestamp.init)
    else { return nil }
    self.init(value: value, by: DesiredSource(by), time: time)
  }
}
