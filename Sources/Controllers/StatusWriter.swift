public import Documents
public import Resources

/// Writes the status of objects, by one field manager.
public protocol StatusWriter: Sendable {
  /// Lays `patch` (RFC 7386) over the object's status, which stood at `previous`.
  func write(_ patch: JSONValue, to key: ObjectKey, of resource: ResourceName, over previous: JSONValue)
    async throws(APIStatus)
}

/// Writes at once, by a merge patch: for a backend of the gateway's own.
public struct MergingStatusWriter: StatusWriter {
  private let backend: any ResourceBackend

  public init(backend: any ResourceBackend) { self.backend = backend }

  public func write(_ patch: JSONValue, to key: ObjectKey, of resource: ResourceName, over previous: JSONValue)
    async throws(APIStatus)
  {
    _ = try await backend.patch(
      resource, key, .merge(["status": patch]), subresource: .status, WriteOptions(fieldManager: gatewayFieldManager))
  }
}

/// Who has written what gateways write.
let gatewayFieldManager = "selvedge-gateway"
