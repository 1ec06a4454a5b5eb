internal import Documents
internal import KubernetesAPI
internal import KubernetesClient
internal import Logging
internal import Resources
internal import Synchronization

/// By what the cluster's API server can be known when it passes a request on: what it says of itself in the ConfigMap
/// `extension-apiserver-authentication` of kube-system (Kubernetes, Configure the Aggregation Layer).
final class RequestHeaderAuthority: Sendable {
  /// What the ConfigMap says.
  struct Content: Sendable, Hashable {
    var proxy: FrontProxy
    /// Certificates of the authorities that sign the API server's client certificate, PEM.
    var authorities: [UInt8]

    /// Throws what is missing from the ConfigMap, or is not what it should be.
    init(_ map: JSONValue) throws(StartError) {
      func names(_ key: String, _ fallback: [String]) throws(StartError) -> [String] {
        guard let text = map[path: "data", key]?.string else { return fallback }
        guard let list = (try? JSONValue(parsing: text))?.array else { throw StartError("\(key) is no list") }
        return list.compactMap(\.string)
      }
      guard let text = map[path: "data", "requestheader-client-ca-file"]?.string, text.contains("BEGIN CERTIFICATE")
      else {
        throw StartError(
          "requestheader-client-ca-file is missing: the API server aggregates no others "
            + "(its flag --requestheader-client-ca-file)")
      }
      authorities = Array(text.utf8)
      proxy = FrontProxy(
        names: Set(try names("requestheader-allowed-names", [])),
        userFields: try names("requestheader-username-headers", ["X-Remote-User"]),
        groupFields: try names("requestheader-group-headers", ["X-Remote-Group"]))
    }
  }

  static let key = ObjectKey(namespace: "kube-system", name: "extension-apiserver-authentication")

  private let client: KubernetesClient
  private let logger: Logger
  private let content = Mutex<Content?>(nil)

  init(client: KubernetesClient, logger: Logger) {
    self.client = client
    self.logger = logger
  }

  /// Nil until it was read: nobody is believed.
  var current: Content? { content.withLock(\.self) }

  /// Reads it every minute, and more often while it cannot be read, until the task is cancelled. What was read last
  /// counts meanwhile.
  func run() async {
    var problem = ""
    while !Task.isCancelled {
      var found: Content?
      var text = ""
      do {
        found = try Content(try await client.get(BuiltInKinds.configMaps, Self.key))
      } catch let error as APIStatus {
        text = error.message
      } catch {
        text = "\(error)"
      }
      if let found, found != current {
        content.withLock { $0 = found }
        logger.notice(
          "the API server's proxy certificate is known",
          metadata: [
            "names": "\(found.proxy.names.isEmpty ? "any" : found.proxy.names.sorted().joined(separator: ", "))"
          ])
      }
      if !text.isEmpty, text != problem {
        logger.error(
          "the API server's proxy certificate is not known", metadata: ["configMap": "\(Self.key)", "error": "\(text)"])
      }
      problem = text
      try? await Task.sleep(for: text.isEmpty ? .seconds(60) : .seconds(2))
    }
  }
}
