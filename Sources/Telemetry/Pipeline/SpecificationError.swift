/// Why a Pipeline's or Sink's spec cannot be served, and where in it.
public struct SpecificationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The field, from the spec's root: `spec.stages[1].deadband.absolute`.
  public var path: String
  public var message: String
  public init(path: String, message: String) {
    self.path = path
    self.message = message
  }
  public var description: String { "\(path): \(message)" }
}
