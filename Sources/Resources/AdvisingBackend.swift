/// A backend that has a word to say with what it answers: that a part of it is old, or missing.
public protocol AdvisingBackend: ResourceBackend {
  /// Texts for `Warning:` headers of a get (`key` is given) or of a list in `namespace` (nil or empty: in all).
  func advice(_ resource: ResourceName, namespace: String?, key: ObjectKey?) -> [String]
}
