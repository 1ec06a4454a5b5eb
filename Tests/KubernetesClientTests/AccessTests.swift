import Foundation
import KubernetesClient
import TestSupport
import Testing

/// Where credentials are found.
@Suite struct AccessTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func kubeconfig(_ cluster: String, _ user: String, name: String = "config") throws -> String {
    try folder.write(
      """
      apiVersion: v1
      kind: Config
      current-context: here
      contexts:
      - {name: here, context: {cluster: c, user: u, namespace: plant}}
      - {name: there, context: {cluster: c, user: nobody}}
      clusters: [{name: c, cluster: \(cluster)}]
      users: [{name: u, user: \(user)}]
      """, to: name)
  }

  @Test("A kubeconfig's current context counts, with its files relative to it")
  func files() throws {
    for name in ["ca.pem", "client.pem", "client.key", "token"] { try folder.write(name, to: name) }
    let path = try kubeconfig(
      "{server: 'https://api.example:6443/base/', certificate-authority: ca.pem, tls-server-name: api}",
      "{client-certificate: client.pem, client-key: client.key, tokenFile: token}")
    let access = try ClusterAccess(kubeconfig: [folder("absent"), path])
    #expect(access.server == "https://api.example:6443/base" && access.namespace == "plant")
    #expect(access.authorities == .file(folder("ca.pem")) && access.serverName == "api" && access.verifies)
    #expect(access.certificate == .file(folder("client.pem")) && access.key == .file(folder("client.key")))
    #expect(access.token == .file(folder("token")))
  }

  @Test("A context without a namespace is of the namespace default", arguments: ["", ", namespace: ''"])
  func namespace(_ field: String) throws {
    let path = try folder.write(
      """
      current-context: here
      contexts: [{name: here, context: {cluster: c\(field)}}]
      clusters: [{name: c, cluster: {server: 'https://a'}}]
      """, to: "config")
    #expect(try ClusterAccess(kubeconfig: [path]).namespace == "default")
  }

  @Test("Data in base64 goes before files, and a token may stand in the text")
  func data() throws {
    let path = try kubeconfig(
      "{server: 'https://[::1]:6443', certificate-authority-data: Y2E=, insecure-skip-tls-verify: true}",
      "{client-certificate-data: Y2VydA==, client-key-data: a2V5, token: abc}")
    let access = try ClusterAccess(kubeconfig: [path])
    #expect(access.authorities == .bytes(Array("ca".utf8)) && !access.verifies)
    #expect(access.certificate == .bytes(Array("cert".utf8)) && access.token == .bytes(Array("abc".utf8)))
  }

  @Test(
    "What a gateway cannot do is refused by name",
    arguments: [
      ("{server: 'https://a'}", "{exec: {command: aws}}", "exec runs a program"),
      ("{server: 'https://a'}", "{auth-provider: {name: gcp}}", "auth-provider is not supported"),
      ("{server: 'https://a'}", "{username: u, password: secret}", "username is not supported"),
      ("{server: 'https://a', proxy-url: 'http://p'}", "{token: t}", "proxy-url is not supported"),
      ("{server: 'http://a'}", "{token: secret}", "would be sent a token in clear"),
      ("{server: ftp}", "{token: t}", "is no address"), ("{}", "{token: t}", "lacks server"),
      ("{server: 'https://a'}", "{client-certificate-data: Y2E=}", "go together"),
      ("{server: 'https://a'}", "{client-key-data: '%%'}", "client-key-data is no base64"),
      ("{server: 'https://a', certificate-authority: absent.pem}", "{token: t}", "cannot read"),
    ])
  func refused(cluster: String, user: String, words: String) throws {
    let path = try kubeconfig(cluster, user)
    #expect {
      try ClusterAccess(kubeconfig: [path])
    } throws: {
      "\($0)".contains(words) && !"\($0)".contains("secret")
    }
  }

  @Test("A context, a user or a file that is not there is named")
  func absent() throws {
    let path = try kubeconfig("{server: 'https://a'}", "{token: t}")
    #expect { try ClusterAccess(kubeconfig: [path], context: "other") } throws: { "\($0)".contains("\"other\"") }
    #expect { try ClusterAccess(kubeconfig: [path], context: "there") } throws: { "\($0)".contains("\"nobody\"") }
    #expect { try ClusterAccess(kubeconfig: [folder("none")]) } throws: { "\($0)".contains(folder("none")) }
  }

  @Test("A pod is known by its service account")
  func pod() throws {
    let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"]
    #expect(!ClusterAccess.isInCluster(environment: environment, folder: folder.path))
    #expect(throws: ClusterAccessError.self) { try ClusterAccess(inCluster: environment, folder: folder.path) }
    try folder.write("t", to: "token")
    #expect(try ClusterAccess(inCluster: environment, folder: folder.path).namespace == "default")
    try folder.write("edge\n", to: "namespace")
    #expect(ClusterAccess.isInCluster(environment: environment, folder: folder.path))
    #expect(!ClusterAccess.isInCluster(environment: [:], folder: folder.path))
    let access = try ClusterAccess(inCluster: environment, folder: folder.path)
    #expect(access.server == "https://[fd00::1]:6443" && access.namespace == "edge")
    #expect(access.token == .file(folder("token")) && access.authorities == .file(folder("ca.crt")))
  }
}
