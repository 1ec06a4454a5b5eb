/// Where a sink gets what must not stand in its spec. Asked again for every batch, so that a Secret or a file that
/// changes is taken at once, and one that is missing only makes the batch wait.
public protocol CredentialSource: Sendable {
  /// All values of a Secret by key. Throws where there is none (yet), naming `field` and the Secret, never a value.
  func secret(_ name: String, namespace: String, field: String) throws(SinkError) -> [String: [UInt8]]
  /// A file below the folder that the operator has named for secrets. Throws with a message that names `field`.
  func file(_ path: String, field: String) throws(SinkError) -> [UInt8]
}
