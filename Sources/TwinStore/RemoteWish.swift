public import Documents

/// What the cloud wishes of one device, with a name by which it is known again.
public struct RemoteWish: Sendable, Hashable {
  /// The sender's own; the same id again changes nothing.
  public var id: String
  /// By property; null takes a wish away.
  public var values: [String: JSONValue]
  /// The twin's version that the sender knew; nil: whatever was wished since is overruled.
  public var baseVersion: UInt64?

  public init(id: String, values: [String: JSONValue], baseVersion: UInt64? = nil) {
    self.id = id
    self.values = values
    self.baseVersion = baseVersion
  }

  /// What is the same where the id stands for the same wish.
  var content: String {
    var json: JSONValue = ["desired": .object(values)]
    json["baseVersion"] = baseVersion.map { .string($0.description) }
    return json.description
  }

  /// Under which its answer is kept beside those of commands.
  var key: String { "cloud/\(id)" }
}

/// What came of a ``RemoteWish``, property by property.
public struct RemoteAnswer: Sendable, Hashable {
  public enum Verdict: String, Sendable, Hashable, CaseIterable {
    /// It is desired now, or was already.
    case accepted = "Accepted"
    /// The Device's spec names the property and wins; the value is kept as drift and not written.
    case specWins = "SpecWins"
    /// The model forbids it.
    case rejected = "Rejected"
    /// Somebody has wished something else since the version that the sender knew.
    case conflict = "Conflict"
  }
  public struct Property: Sendable, Hashable {
    public var verdict: Verdict
    /// Empty for what is accepted.
    public var message: String
    public init(_ verdict: Verdict, _ message: String = "") {
      self.verdict = verdict
      self.message = message
    }
  }
  public var properties: [String: Property]
  /// Whether the id was known: nothing was changed, and this is the first answer.
  public var isRepeated: Bool

  public init(properties: [String: Property], isRepeated: Bool = false) {
    self.properties = properties
    self.isRepeated = isRepeated
  }

  /// `{PROPERTY: {result, message}}`.
  public var json: JSONValue {
    .object(
      properties.mapValues { property in
        var json: JSONValue = ["result": .string(property.verdict.rawValue)]
        if !property.message.isEmpty { json["message"] = .string(property.message) }
        return json
      })
  }

  /// Reads what ``json`` wrote.
  init(stored: JSONValue) {
    properties = (stored.object ?? [:]).compactMapValues { json in
      json["result"]?.string.flatMap(Verdict.init(rawValue:)).map { Property($0, json["message"]?.string ?? "") }
    }
    isRepeated = true
  }
}
