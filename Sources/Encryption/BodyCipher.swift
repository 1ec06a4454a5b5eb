package import Resources

/// Which object a body belongs to: what a cipher binds the body to.
package struct BodyPlace: Sendable, Hashable {
  package var resource: String
  package var namespace: String
  package var name: String
  package var uid: String

  package init(resource: String, namespace: String, name: String, uid: String) {
    self.resource = resource
    self.namespace = namespace
    self.name = name
    self.uid = uid
  }

  package func isAt(_ resource: ResourceName, _ key: ObjectKey?) -> Bool {
    guard self.resource == resource.description else { return false }
    return key.map { $0.namespace == namespace && $0.name == name } ?? true
  }
}

/// Turns the bodies of a kind into what may lie on the disk, and back. The table asks it for each body of the kind, in
/// the objects and in the log of changes.
package protocol BodyCipher: Sendable {
  func seal(_ body: [UInt8], at place: BodyPlace) throws -> [UInt8]
  /// The body and the place that it was sealed for; throws ``EncryptionError`` where it was not sealed by this cipher or was
  /// altered since.
  func open(_ stored: [UInt8]) throws -> (body: [UInt8], place: BodyPlace)
  /// Whether the body was sealed as this cipher seals now; false for one to be sealed anew.
  func isCurrent(_ stored: [UInt8]) -> Bool
}
