public import DeviceKit
public import Documents
public import TwinStore

/// A message that the cloud sends to `<prefix>/<namespace>/<device>/desired`. Pure.
public struct RemoteWishMessage: Sendable, Hashable {
  public var wish: RemoteWish
  /// When it is too late to take it; nil: never.
  public var expiry: Timestamp?

  /// Larger messages are refused.
  public static let maximumBytes = 64 * 1024
  public static let maximumProperties = 256
  public static let longestID = 128

  /// Why a message is none, for who sent it.
  public struct Fault: Error, Sendable, Hashable {
    /// The message's id, as far as it can be told.
    public var id: String?
    /// Names the field.
    public var message: String
  }

  private static let fields: Set<String> = ["id", "desired", "baseVersion", "expiresAt"]

  /// Reads `{"id": "…", "desired": {PROPERTY: VALUE | null}, "baseVersion": N, "expiresAt": "RFC 3339"}`; the last two
  /// may be absent.
  public init(parsing payload: [UInt8]) throws(Fault) {
    guard payload.count <= Self.maximumBytes else {
      throw Fault(message: "the message has \(payload.count) bytes: at most \(Self.maximumBytes) are taken")
    }
    let json: JSONValue
    do {
      json = try JSONValue(parsing: payload)
    } catch {
      throw Fault(message: "the message is not JSON: \(error)")
    }
    guard let members = json.object else { throw Fault(message: "the message is not an object with id and desired") }
    let given = members["id"]?.string
    func fault(_ text: String) -> Fault { Fault(id: given, message: text) }
    guard let id = given, !id.isEmpty, id.utf8.count <= Self.longestID else {
      throw fault("id: must be a string of 1 to \(Self.longestID) bytes, another one for each wish")
    }
    if let unknown = members.keys.filter({ !Self.fields.contains($0) }).min() {
      throw fault("\(unknown): no such field; there are \(Self.fields.sorted().joined(separator: ", "))")
    }
    guard let desired = members["desired"]?.object, !desired.isEmpty, desired.count <= Self.maximumProperties else {
      throw fault("desired: must be an object of 1 to \(Self.maximumProperties) properties and their values")
    }
    var base: UInt64?
    if let text = members["baseVersion"], !text.isNull {
      base = text.string.flatMap { UInt64($0) } ?? text.integer.flatMap { UInt64(exactly: $0) }
      guard base != nil else { throw fault("baseVersion: must be a version that an answer or the twin has shown") }
    }
    if let text = members["expiresAt"], !text.isNull {
      expiry = text.string.flatMap { Timestamp($0) }
      guard expiry != nil else { throw fault("expiresAt: must be a time such as 2026-11-21T12:00:00Z") }
    }
    wish = RemoteWish(id: id, values: desired, baseVersion: base)
  }

  /// The device of `<prefix>/<namespace>/<device>/desired`; nil for another topic.
  public static func device(of topic: String, prefix: String) -> DeviceKey? {
    guard topic.hasPrefix(prefix + "/") else { return nil }
    let parts = topic.dropFirst(prefix.count + 1).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[2] == "desired", !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    return DeviceKey(namespace: String(parts[0]), name: String(parts[1]))
  }
}
