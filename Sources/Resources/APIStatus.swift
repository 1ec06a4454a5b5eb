public import Documents

/// A Kubernetes `Status` that says no: the one shape of an error at the API's edge (meta/v1, section Status).
public struct APIStatus: Error, Sendable, Equatable, CustomStringConvertible {
  public struct Cause: Sendable, Equatable {
    public var reason: String
    public var message: String
    public var field: String
    public init(reason: String, message: String, field: String) {
      self.reason = reason
      self.message = message
      self.field = field
    }
  }
  /// The HTTP code.
  public var code: Int
  /// `NotFound`, `Conflict`, `Invalid` …
  public var reason: String
  public var message: String
  public var name: String
  public var group: String
  /// The plural for most errors, the Kind for Invalid.
  public var kind: String
  public var causes: [Cause]
  public var retryAfterSeconds: Int?

  public init(
    code: Int, reason: String, message: String, name: String = "", group: String = "", kind: String = "",
    causes: [Cause] = [], retryAfterSeconds: Int? = nil
  ) {
    self.code = code
    self.reason = reason
    self.message = message
    self.name = name
    self.group = group
    self.kind = kind
    self.causes = causes
    self.retryAfterSeconds = retryAfterSeconds
  }

  public var description: String { message }

  /// Whether the same request may succeed later.
  public var isRetryable: Bool { code == 429 || code >= 500 || reason == "Conflict" }

  /// The Status as JSON.
  public var json: JSONValue {
    var details: JSONValue = [:]
    if !name.isEmpty { details["name"] = .string(name) }
    if !group.isEmpty { details["group"] = .string(group) }
    if !kind.isEmpty { details["kind"] = .string(kind) }
    if !causes.isEmpty {
      details["causes"] = .array(
        causes.map { ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)] })
    }
    if let retryAfterSeconds { details["retryAfterSeconds"] = .integer(Int64(retryAfterSeconds)) }
    return [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
      "reason": .string(reason), "details": details, "code": .integer(Int64(code)),
    ]
  }

  public static func notFound(_ resource: ResourceName, name: String) -> APIStatus {
    APIStatus(
      code: 404, reason: "NotFound", message: "\(resource) \"\(name)\" not found", name: name, group: resource.group,
      kind: resource.plural)
  }

  /// For a path that serves nothing.
  public static let noSuchPath = APIStatus(
    code: 404, reason: "NotFound", message: "the server could not find the requested resource")

  public static func alreadyExists(_ resource: ResourceName, name: String) -> APIStatus {
    APIStatus(
      code: 409, reason: "AlreadyExists", message: "\(resource) \"\(name)\" already exists", name: name,
      group: resource.group, kind: resource.plural)
  }

  public static func conflict(_ resource: ResourceName, name: String) -> APIStatus {
    APIStatus(
      code: 409, reason: "Conflict",
      message:
        "Operation cannot be fulfilled on \(resource) \"\(name)\": the object has been modified; please apply your changes to the latest version and try again",
      name: name, group: resource.group, kind: resource.plural)
  }

  /// 422; every cause's message is what follows `field: ` in the joined message.
  public static func invalid(kind: String, group: String, name: String, causes: [Cause]) -> APIStatus {
    let texts = causes.map { "\($0.field): \($0.message)" }
    let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    let qualified = group.isEmpty ? kind : "\(kind).\(group)"
    return APIStatus(
      code: 422, reason: "Invalid", message: "\(qualified) \"\(name)\" is invalid: \(list)", name: name, group: group,
      kind: kind, causes: causes)
  }

  public static func badRequest(_ message: String) -> APIStatus {
    APIStatus(code: 400, reason: "BadRequest", message: message)
  }

  public static func expired(_ message: String) -> APIStatus {
    APIStatus(code: 410, reason: "Expired", message: message)
  }

  public static func internalError(_ message: String) -> APIStatus {
    APIStatus(code: 500, reason: "InternalError", message: "Internal error occurred: \(message)")
  }
}
