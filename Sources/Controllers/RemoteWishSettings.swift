internal import Documents
internal import Resources

/// What a Gateway's `spec.remoteDesired` says.
struct RemoteWishSettings: Sendable, Hashable {
  /// `namespace/name`.
  var broker: String
  var topicPrefix: String

  /// Nil where the cloud has no say.
  init?(_ gateway: JSONValue?) {
    guard let settings = gateway?[path: "spec", "remoteDesired"],
      let name = settings[path: "brokerRef", "name"]?.string,
      let prefix = settings["topicPrefix"]?.string
    else { return nil }
    broker = "\(settings[path: "brokerRef", "namespace"]?.string ?? "default")/\(name)"
    topicPrefix = prefix
  }
}
