extension GatewayConfiguration {
  /// What must be said together for the cluster's twins to be served.
  func checkTwinsAccess() throws(StartError) {
    guard let twinsListen else {
      guard twinsTLS == nil else { throw StartError("twins-tls is for --twins-listen: say that too, or leave it out") }
      return
    }
    guard cluster != nil else {
      throw StartError("twins-listen is for --kubernetes: elsewhere the API at \(listen) shows the twins")
    }
    guard twinsTLS != nil else {
      throw StartError(
        "twins-listen needs certificates: say --twins-tls FOLDER too, which holds tls.crt, tls.key and ca.crt")
    }
    guard twinsListen.port != 0, !["0.0.0.0", "::"].contains(twinsListen.host) else {
      throw StartError(
        "twins-listen is \(twinsListen), where nobody can ask: write the address by which the cluster reaches this "
          + "gateway, such as $(POD_IP):7072")
    }
  }

  /// Whether resources live in a cluster, and how it is reached. A kubeconfig asks for one; in a pod with a token its own
  /// cluster counts where nothing says otherwise.
  static func cluster(
    wanted: String?, kubeconfig: String?, context: String?, secretNamespaces: String?, environment: [String: String],
    isPod: Bool
  ) throws(StartError) -> Cluster? {
    let isWanted: Bool
    switch wanted {
    case nil: isWanted = isPod || kubeconfig != nil
    case "true": isWanted = true
    case "false": isWanted = false
    case let other?: throw StartError("kubernetes is \"\(other)\"; it can be true or false")
    }
    guard isWanted else {
      for (flag, value) in [
        ("kubeconfig", kubeconfig), ("kube-context", context), ("secret-namespaces", secretNamespaces),
      ] where value != nil {
        throw StartError("\(flag) is for --kubernetes: say that too, or leave it out")
      }
      return nil
    }
    let namespaces = secretNamespaces.map { text in
      Set(text.split(separator: ",").map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty })
    }
    var files: [String] = []
    if let kubeconfig {
      files = [kubeconfig]
    } else if !isPod {
      if let list = environment["KUBECONFIG"], !list.isEmpty {
        files = list.split(separator: ":").map(String.init)
      } else {
        files = [(environment["HOME"] ?? "") + "/.kube/config"]
      }
    } else if context != nil {
      throw StartError("kube-context names a context of a kubeconfig: say --kubeconfig FILE too")
    }
    return Cluster(kubeconfig: files, context: context, secretNamespaces: namespaces)
  }
}
