/// What the common part says about one kind: names, scope, and YAML texts of its columns and schemas.
///
/// In the schemas, `$use: <name>` stands for a shared piece of ``SharedSchemas``; members beside it are laid over the piece.
struct KindText: Sendable {
  var kind: String
  var plural: String
  var shortName: String
  var isNamespaced: Bool
  /// A list of printer columns.
  var columns: String
  /// JSON paths that field selectors may name.
  var selectableFields: [String] = []
  /// The schema of `spec`; nil for a kind that has none.
  var spec: String?
  /// The properties of `status` beyond observedGeneration and conditions.
  var status: String
  /// Whether an object may do without a spec: one that the gateway makes by itself.
  var mayLackSpec = false

  /// All kinds of the group, in the order in which users meet them.
  static let all: [KindText] = [deviceModel, device, discovery, broker, pipeline, sink, gateway]
}
