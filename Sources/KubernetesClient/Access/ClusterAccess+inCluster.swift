extension ClusterAccess {
  /// Where a pod finds its service account (Kubernetes, Accessing the Kubernetes API from a Pod).
  public static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// Whether this process is a pod's that was given a token for the API.
  public static func isInCluster(
    environment: [String: String], folder: String = ClusterAccess.serviceAccountFolder
  ) -> Bool {
    !(environment["KUBERNETES_SERVICE_HOST"] ?? "").isEmpty && FileContent.exists(folder + "/token")
  }

  /// The access of a pod by its service account: the token, which the kubelet renews, the cluster's authorities and the
  /// pod's namespace.
  public init(
    inCluster environment: [String: String], folder: String = ClusterAccess.serviceAccountFolder
  ) throws(ClusterAccessError) {
    guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
      throw ClusterAccessError("KUBERNETES_SERVICE_HOST is not set: this is no pod; name a cluster with --kubeconfig")
    }
    guard FileContent.exists(folder + "/token") else {
      throw ClusterAccessError(
        "there is no token in \(folder): give the pod one (automountServiceAccountToken: true), or name a cluster with --kubeconfig"
      )
    }
    let port = environment["KUBERNETES_SERVICE_PORT"] ?? "443"
    let namespace = FileContent.bytes(folder + "/namespace").map { String(decoding: $0, as: UTF8.self).trimmed }
    try self.init(
      server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", token: .file(folder + "/token"),
      namespace: namespace ?? "default", origin: "the pod's service account")
    authorities = .file(folder + "/ca.crt")
  }
}
