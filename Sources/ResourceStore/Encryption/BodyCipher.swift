internal import Resources

/// Which object a body belongs to: what a cipher binds the body to.
struct BodyPlace: Sendable, Hashable {
  var resource: String
  var namespace: String
  var name: String
  var uid: String

  func isAt(_ resource: ResourceName, _ key: ObjectKey?) -> Bool {
    guard self.resource == resource.description else { return false }
    return key.map { $0.namespace == namespace && $0.name == name } ?? true
  }
}

/// Turns the bodies of a kind into what may lie on the disk, and back. The table asks it for each body of the kind, in
/// the objects and in the log of changes.
protocol BodyCipher: Sendable {
  func seal(_ body: [UInt8], at place: BodyPlace) throws -> [UInt8]
  /// The body and the place that it was sealed for; throws ``StoreError`` where it was not sealed by this cipher or was
  /// altered since.
  func open(_ stored: [UInt8]) throws -> (body: [UInt8], place: BodyPlace)
  /// Whether the body was sealed as this cipher seals now; false for one to be sealed anew.
  func isCurrent(_ stored: [UInt8]) -> Bool
}
