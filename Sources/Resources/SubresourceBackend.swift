public import Documents

/// A part of an object that has an address, a kind and verbs of its own: `twins/NAME/commands`.
///
/// A role names it `twins/commands` with the verbs here (`get`, `create`).
public struct NamedSubresource: Sendable, Hashable {
  /// A verb that a named subresource can have: `get` is GET, `create` is POST.
  public enum Verb: String, Sendable, Hashable, CaseIterable { case get, create }

  /// The last segment of the path.
  public var name: String
  /// The kind of what is answered, and of the body of a `create`; it is in the resource's group and version.
  public var kind: String
  public var verbs: [Verb]
  /// Names of query parameters that a `get` understands.
  public var parameters: [String]
  /// The structural schema (OpenAPI v3) of the kind, without `apiVersion` and `kind`.
  public var schema: JSONValue

  public init(
    name: String, kind: String, verbs: [Verb], parameters: [String] = [], schema: JSONValue = ["type": "object"]
  ) {
    self.name = name
    self.kind = kind
    self.verbs = verbs
    self.parameters = parameters
    self.schema = schema
  }
}

/// One parameter of a request's query, decoded.
public struct QueryItem: Sendable, Hashable {
  public var name: String
  public var value: String
  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// A backend whose kinds have named subresources: those that a definition lists in
/// ``ResourceDefinition/subresources``. Nothing else is ever asked of it, and `status` is none of them.
public protocol SubresourceBackend: ResourceBackend {
  /// Answers GET with a whole object.
  func get(_ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ query: [QueryItem])
    async throws(APIStatus) -> JSONValue

  /// Answers POST. `object` has the apiVersion and kind of the subresource already; `isCreated` of the result makes it
  /// 201 rather than 200.
  func create(
    _ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ object: JSONValue,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult
}
