public import Documents

/// A kind of resource by its group and plural: `devices` in `selvedge.dev`. The core group is the empty string.
public struct ResourceName: Sendable, Hashable, CustomStringConvertible {
  public var group: String
  public var plural: String
  public init(group: String, plural: String) {
    self.group = group
    self.plural = plural
  }
  /// `devices.selvedge.dev`, as Kubernetes' messages and CRD names have it.
  public var description: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

/// An object within its kind. `namespace` is empty for cluster-scoped kinds.
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var namespace: String
  public var name: String
  public init(namespace: String = "", name: String) {
    self.namespace = namespace
    self.name = name
  }
  public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
  public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    (left.namespace, left.name) < (right.namespace, right.name)
  }
}

/// The part of an object that a write is aimed at.
public enum Subresource: String, Sendable, Hashable {
  case status
  /// Of namespaces alone: `spec.finalizers`.
  case finalize
}

public struct ListOptions: Sendable {
  /// Nil or empty: all namespaces.
  public var namespace: String?
  public var labelSelector: LabelSelector?
  public var fieldSelector: FieldSelector?
  /// At most so many items; the rest by `continueToken`.
  public var limit: Int?
  public var continueToken: String?
  /// The state to list, where a first page is asked for; nil: the present one. A backend that keeps no past states
  /// answers with the present one; who asked sees that by the list's version.
  public var exactVersion: UInt64?
  public init(
    namespace: String? = nil, labelSelector: LabelSelector? = nil, fieldSelector: FieldSelector? = nil,
    limit: Int? = nil, continueToken: String? = nil, exactVersion: UInt64? = nil
  ) {
    self.namespace = namespace
    self.labelSelector = labelSelector
    self.fieldSelector = fieldSelector
    self.limit = limit
    self.continueToken = continueToken
    self.exactVersion = exactVersion
  }
}

public struct ObjectList: Sendable {
  /// Sorted by namespace and name; each with apiVersion and kind.
  public var items: [JSONValue]
  public var resourceVersion: UInt64
  public var continueToken: String?
  public var remainingItemCount: Int?
  public init(
    items: [JSONValue], resourceVersion: UInt64, continueToken: String? = nil, remainingItemCount: Int? = nil
  ) {
    self.items = items
    self.resourceVersion = resourceVersion
    self.continueToken = continueToken
    self.remainingItemCount = remainingItemCount
  }
}

public struct WriteOptions: Sendable {
  public enum FieldValidation: String, Sendable { case ignore = "Ignore", warn = "Warn", strict = "Strict" }
  public var isDryRun: Bool
  public var fieldManager: String
  public var fieldValidation: FieldValidation
  /// Who has proved to be the writer; nil where nobody is asked to.
  public var user: String?
  /// The groups that the writer is in, where `user` is known.
  public var groups: [String] = []
  public init(isDryRun: Bool = false, fieldManager: String = "", fieldValidation: FieldValidation = .warn) {
    self.isDryRun = isDryRun
    self.fieldManager = fieldManager
    self.fieldValidation = fieldValidation
  }
}

/// What a write stored.
public struct WriteResult: Sendable {
  public var object: JSONValue
  /// Whether the object is new (201 rather than 200).
  public var isCreated: Bool
  /// Texts for `Warning:` headers.
  public var warnings: [String]
  public init(object: JSONValue, isCreated: Bool = false, warnings: [String] = []) {
    self.object = object
    self.isCreated = isCreated
    self.warnings = warnings
  }
}

public enum Patch: Sendable {
  /// RFC 7386.
  case merge(JSONValue)
  /// RFC 6902.
  case json(JSONValue)
  /// Server-side apply: the fields that the option's `fieldManager` wants to own.
  case apply(JSONValue, force: Bool)
}

public struct DeleteOptions: Sendable {
  public enum Propagation: String, Sendable {
    case background = "Background", foreground = "Foreground", orphan = "Orphan"
  }
  public var isDryRun: Bool
  public var propagation: Propagation
  public var preconditionUID: String?
  public var preconditionResourceVersion: String?
  public init(
    isDryRun: Bool = false, propagation: Propagation = .background, preconditionUID: String? = nil,
    preconditionResourceVersion: String? = nil
  ) {
    self.isDryRun = isDryRun
    self.propagation = propagation
    self.preconditionUID = preconditionUID
    self.preconditionResourceVersion = preconditionResourceVersion
  }
}

public struct WatchEvent: Sendable {
  public enum Change: String, Sendable {
    case added = "ADDED", modified = "MODIFIED", deleted = "DELETED", bookmark = "BOOKMARK", error = "ERROR"
  }
  public let change: Change
  /// The object; for `.bookmark` only metadata.resourceVersion, for `.error` a Status.
  public let object: JSONValue
  public let resourceVersion: UInt64
  /// What the event is sent as; shared by all who are told of it.
  public let renderings: SharedRenderings
  public init(
    change: Change, object: JSONValue, resourceVersion: UInt64, renderings: SharedRenderings = SharedRenderings()
  ) {
    self.change = change
    self.object = object
    self.resourceVersion = resourceVersion
    self.renderings = renderings
  }
}

/// A list whose items are JSON texts, each as ``JSONValue/serialised(pretty:)`` writes it.
public struct EncodedObjectList: Sendable {
  public var items: [[UInt8]]
  public var resourceVersion: UInt64
  public var continueToken: String?
  public var remainingItemCount: Int?
  public init(
    items: [[UInt8]], resourceVersion: UInt64, continueToken: String? = nil, remainingItemCount: Int? = nil
  ) {
    self.items = items
    self.resourceVersion = resourceVersion
    self.continueToken = continueToken
    self.remainingItemCount = remainingItemCount
  }
}

/// A backend that keeps objects as text and can list them without reading it: what ``ResourceBackend/list(_:_:)``
/// answers, item for item.
public protocol EncodedObjectSource: ResourceBackend {
  func encodedList(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> EncodedObjectList
}

/// Where resources live: the embedded store, a real API server, or the twins. One conformance suite runs on each.
///
/// Every throw is an ``APIStatus``, exactly what a client would be sent.
public protocol ResourceBackend: Sendable {
  /// The kinds that this backend serves.
  var definitions: [ResourceDefinition] { get }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue
  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList
  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult
  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult
  /// The object as it was, or with its deletionTimestamp while finalizers hold it (`isGone` false).
  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)

  /// Changes after `resourceVersion`; nil: first an ADDED for every current object, then a bookmark, then changes.
  /// Only `namespace` and the selectors of `options` count; an object that stops matching is DELETED. A watcher that
  /// does not keep up gets an `.error` event (410 Expired) and the stream ends; a version that is already compacted
  /// throws 410.
  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
}
