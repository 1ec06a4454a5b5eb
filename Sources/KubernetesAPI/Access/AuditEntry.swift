public import Documents

/// The record of one write through the API, done or refused.
public struct AuditEntry: Sendable, Hashable {
  /// One object that the write created, changed or deleted.
  struct Object: Sendable, Hashable {
    var namespace: String
    var name: String
    var changes: FieldChanges
  }
  public var time: Timestamp
  public var user: UserInfo
  /// The other end's address, as `192.0.2.7:51234`; empty where it is not known.
  public var source: String
  public var attributes: AccessAttributes
  public var isDryRun = false
  /// The HTTP code of the answer.
  public var code = 0
  /// A refusal's reason; empty for a success.
  public var reason = ""
  var objects: [Object] = []
  /// How many objects there are beyond those.
  var omittedObjects = 0

  init(time: Timestamp, user: UserInfo, source: String, attributes: AccessAttributes) {
    self.time = time
    self.user = user
    self.source = source
    self.attributes = attributes
  }

  /// Whether nobody stands behind it: no credentials, or wrong ones.
  public var isUnauthenticated: Bool { code == 401 }

  /// The line's object. A part that is empty is left out.
  public var json: JSONValue {
    var json: JSONValue = [
      "time": .string(time.description), "kind": "request", "user": .string(user.name),
      "groups": .array(user.groups.map(JSONValue.string)), "verb": .string(attributes.verb),
      "resource": .string(attributes.resource), "dryRun": .bool(isDryRun), "code": .integer(Int64(code)),
    ]
    func set(_ key: String, _ text: String) {
      if !text.isEmpty { json[key] = .string(text) }
    }
    set("source", source)
    set("group", attributes.group)
    set("subresource", attributes.subresource)
    set("namespace", attributes.namespace)
    set("name", attributes.name)
    set("reason", reason)
    if attributes.verb == "deletecollection" {
      json["objects"] = .array(
        objects.map { .string($0.namespace.isEmpty ? $0.name : "\($0.namespace)/\($0.name)") })
      if omittedObjects > 0 { json["moreObjects"] = .integer(Int64(omittedObjects)) }
    } else if let object = objects.first {
      set("name", object.name)
      if !object.changes.list.isEmpty { json["changes"] = .array(object.changes.list.map(\.json)) }
      if object.changes.omitted > 0 { json["moreChanges"] = .integer(Int64(object.changes.omitted)) }
    }
    return json
  }
}
