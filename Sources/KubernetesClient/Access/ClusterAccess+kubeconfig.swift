internal import Documents
internal import YAML

extension ClusterAccess {
  /// The access that a kubeconfig's context gives (Kubernetes, Organizing Cluster Access Using kubeconfig Files).
  ///
  /// - Parameters:
  ///   - paths: files, of which the first that says something wins; those that are not there are passed over.
  ///   - context: nil: the current one.
  public init(kubeconfig paths: [String], context: String? = nil) throws(ClusterAccessError) {
    var files: [(path: String, document: JSONValue)] = []
    for path in paths {
      guard let bytes = FileContent.bytes(path) else { continue }
      do {
        files.append((path, try YAMLDocument.all(in: bytes).first ?? .null))
      } catch {
        throw ClusterAccessError("the kubeconfig \(path) is not YAML: \(error)")
      }
    }
    guard !files.isEmpty else {
      throw ClusterAccessError("no kubeconfig can be read at \(paths.joined(separator: " or "))")
    }
    try self.init(files: files, context: context)
  }

  private init(files: [(path: String, document: JSONValue)], context: String?) throws(ClusterAccessError) {
    let current = files.lazy.compactMap { $0.document["current-context"]?.string }.first { !$0.isEmpty }
    guard let name = context ?? current else {
      throw ClusterAccessError("\(files[0].path) has no current-context: name one with --kube-context")
    }
    let chosen = try Entry("context", name, in: files, field: "contexts")
    let cluster = try Entry("cluster", try chosen.text("cluster"), in: files, field: "clusters")
    let server = try cluster.text("server")
    var user: Entry?
    if let named = chosen.value["user"]?.string, !named.isEmpty {
      user = try Entry("user", named, in: files, field: "users")
    }
    for (key, why) in Entry.refused {
      guard let given = user?.value[key], !given.isNull else { continue }
      throw ClusterAccessError("\(user?.label ?? ""): \(key) \(why)")
    }
    if let proxy = cluster.value["proxy-url"]?.string, !proxy.isEmpty {
      throw ClusterAccessError("\(cluster.label): proxy-url is not supported: the gateway connects by itself")
    }
    try self.init(
      server: server, token: try user?.token(), namespace: chosen.value["namespace"]?.string ?? "default",
      origin: chosen.label)
    authorities = try cluster.source("certificate-authority")
    verifies = cluster.value["insecure-skip-tls-verify"]?.bool != true
    if let name = cluster.value["tls-server-name"]?.string, !name.isEmpty { serverName = name }
    certificate = try user?.source("client-certificate")
    key = try user?.source("client-key")
    guard (certificate == nil) == (key == nil) else {
      throw ClusterAccessError("\(user?.label ?? ""): client-certificate and client-key go together")
    }
  }
}

/// One named cluster, context or user of a kubeconfig, with the file that it stands in.
private struct Entry {
  let label: String
  let value: JSONValue
  private let folder: String

  static let refused = [
    ("exec", "runs a program, which a gateway does not: write a token (selvedge reads tokenFile anew as it changes)"),
    ("auth-provider", "is not supported: write a token or a client certificate"),
    ("username", "is not supported, nor by API servers since 1.19: write a token or a client certificate"),
    ("as", "acts as somebody else, which a gateway does not: give its own user the rights"),
  ]

  init(_ what: String, _ name: String, in files: [(path: String, document: JSONValue)], field: String)
    throws(ClusterAccessError)
  {
    for (path, document) in files {
      guard let found = document[field]?.array?.first(where: { $0["name"]?.string == name }) else { continue }
      label = "\(what) \"\(name)\" of \(path)"
      value = found[what] ?? [:]
      folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      return
    }
    throw ClusterAccessError(
      "\(files.map(\.path).joined(separator: ", ")): there is no \(what) \"\(name)\" in \(field)")
  }

  func text(_ key: String) throws(ClusterAccessError) -> String {
    guard let text = value[key]?.string, !text.isEmpty else { throw ClusterAccessError("\(label) lacks \(key)") }
    return text
  }

  /// `KEY-data` in base64, or the file that `KEY` names, which may stand relative to the kubeconfig.
  func source(_ key: String) throws(ClusterAccessError) -> ClusterAccess.Source? {
    if let text = value[key + "-data"]?.string, !text.isEmpty {
      guard let bytes = Base64.bytes(of: text) else { throw ClusterAccessError("\(label): \(key)-data is no base64") }
      return .bytes(bytes)
    }
    guard let path = value[key]?.string, !path.isEmpty else { return nil }
    return .file(try readable(path, key))
  }

  func token() throws(ClusterAccessError) -> ClusterAccess.Source? {
    if let path = value["tokenFile"]?.string, !path.isEmpty { return .file(try readable(path, "tokenFile")) }
    guard let text = value["token"]?.string, !text.isEmpty else { return nil }
    return .bytes(Array(text.utf8))
  }

  private func readable(_ path: String, _ key: String) throws(ClusterAccessError) -> String {
    let full = path.hasPrefix("/") ? path : folder + path
    guard FileContent.exists(full) else { throw ClusterAccessError("\(label): \(key): cannot read \(full)") }
    return full
  }
}
