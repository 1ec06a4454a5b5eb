import Documents
import Gateway
import Logging
import Testing

@Suite struct GatewayConfigurationTests {
  private func configuration(
    flags: [String: String] = [:], environment: [String: String] = [:], file: JSONValue? = nil, isPod: Bool = false
  ) throws -> GatewayConfiguration {
    try GatewayConfiguration(
      flags: flags, environment: environment, file: file, hostName: "host-1", defaultDataDirectory: "data",
      isPod: isPod)
  }

  @Test func inAPodTheClusterCountsUnlessItIsToldOtherwise() throws {
    #expect(try configuration().cluster == nil)
    #expect(try configuration(isPod: true).cluster?.kubeconfig == [])
    #expect(try configuration(environment: ["SELVEDGE_KUBERNETES": "false"], isPod: true).cluster == nil)
    #expect(try configuration(flags: ["kubeconfig": "k"]).cluster?.kubeconfig == ["k"])
    let environment = ["KUBECONFIG": "a:b", "HOME": "/home/x"]
    #expect(
      try configuration(flags: ["kubernetes": "true"], environment: environment).cluster?.kubeconfig == ["a", "b"])
    let home = try configuration(file: ["kubernetes": true], isPod: false).cluster
    #expect(home?.kubeconfig == ["/.kube/config"] && home?.secretNamespaces == nil)
    let narrowed = try configuration(flags: ["secret-namespaces": "plant, edge"], isPod: true).cluster
    #expect(narrowed?.secretNamespaces == ["plant", "edge"])
  }

  @Test func withoutAWordItIsAnEmbeddedGatewayOnLoopback() throws {
    let configuration = try configuration()
    #expect(configuration.listen.description == "127.0.0.1:7070")
    #expect(configuration.nodeName == "host-1")
    #expect(configuration.dataDirectory == "data")
    #expect(configuration.manifestsDirectory == nil && !configuration.isReadOnly)
  }

  @Test func aFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile() throws {
    let file: JSONValue = ["nodeName": "file", "logLevel": "debug", "readOnly": true, "listen": "127.0.0.1:1"]
    let environment = ["SELVEDGE_NODE_NAME": "environment", "SELVEDGE_LISTEN": "127.0.0.1:2"]
    let configuration = try configuration(
      flags: ["node-name": "flag"], environment: environment, file: file)
    #expect(configuration.nodeName == "flag")
    #expect(configuration.listen.port == 2)
    #expect(configuration.logLevel == .debug)
    #expect(configuration.isReadOnly)
  }

  @Test func theServerOfTheTwinsNeedsCertificates() throws {
    #expect { try TwinsServerConfiguration(flags: ["kubeconfig": "k"]) } throws: { "\($0)".contains("--tls FOLDER") }
    let flags = ["kubeconfig": "k", "tls": "t"]
    let usual = try TwinsServerConfiguration(flags: flags)
    #expect(usual.listen.port == 7443 && usual.memoryBytes == 64 << 20 && usual.cluster.kubeconfig == ["k"])
    for (flag, value, word) in [
      ("memory-bytes", "1", "64Mi"), ("log-level", "loud", "trace"), ("log-format", "xml", "json"),
      ("listen", "here", "HOST:PORT"),
    ] {
      #expect { try TwinsServerConfiguration(flags: flags.merging([flag: value]) { $1 }) } throws: {
        "\($0)".contains(word)
      }
    }
  }

  @Test(arguments: [
    (["listen": "0.0.0.0:7070"], "--tls-cert and --tls-key, and --token-file or --client-ca"),
    (["listen": "127.evil.example:7070"], "loopback"),
    (["listen": "0.0.0.0:7070", "token-file": "t"], "Say --tls-cert and --tls-key;"),
    (["listen": "[::]:7070", "tls-cert": "c", "tls-key": "k"], "Say --token-file or --client-ca;"),
    (["tls-cert": "c"], "--tls-key"), (["tls-key": "k"], "--tls-cert"), (["client-ca": "c"], "need TLS"),
    (["access": "a"], "--token-file"), (["listen": "7070x"], "HOST:PORT"),
    (["log-format": "xml"], "text or json"), (["log-level": "loud"], "trace"),
    (["read-only": "maybe"], "true or false"), (["history-age": "a week"], "168h"), (["history-bytes": "1"], "16Mi"),
    (["kubernetes": "maybe"], "true or false"), (["kube-context": "c"], "--kubernetes"),
    (["kubernetes": "true", "manifests": "m"], "kubectl"),
    (["twins-listen": "10.0.0.1:7072", "twins-tls": "t"], "--kubernetes"), (["twins-tls": "t"], "--twins-listen"),
    (["kubeconfig": "k", "twins-listen": "10.0.0.1:7072"], "--twins-tls"),
    (["kubeconfig": "k", "twins-tls": "t", "twins-listen": "0.0.0.0:7072"], "$(POD_IP):7072"),
    (["kubeconfig": "k", "twins-tls": "t", "twins-listen": "10.0.0.1:0"], "$(POD_IP):7072"),
  ]) func isRefusedWithAWordOnWhatToDo(_ flags: [String: String], _ word: String) {
    #expect { try configuration(flags: flags) } throws: { "\($0)".contains(word) }
  }

  @Test func theHistoryIsBoundedByAgeAndSize() throws {
    let usual = try configuration()
    #expect(usual.historyAge == .seconds(7 * 86_400) && usual.historyBytes == 16 << 20)
    let other = try configuration(flags: ["history-age": "36h"], file: ["historyBytes": 1_000_000])
    #expect(other.historyAge == .seconds(36 * 3_600) && other.historyBytes == 1_000_000)
  }

  @Test func anUnknownKeyInTheFileIsNamed() {
    #expect { try configuration(file: ["dataDirectory": "x"]) } throws: { "\($0)".contains("\"dataDirectory\"") }
  }

  @Test func healthMayListenAnywhere() throws {
    #expect(try configuration(flags: ["health-listen": "0.0.0.0:7071"]).healthListen?.description == "0.0.0.0:7071")
    #expect(try configuration(flags: ["health-listen": "[::]:7071"]).healthListen?.host == "::")
  }

  @Test func withTLSAndCredentialsTheAPIMayListenAnywhere() throws {
    let file: JSONValue = ["tlsCert": "c", "tlsKey": "k", "tokenFile": "t", "clientCA": "a", "access": "r"]
    let configuration = try configuration(flags: ["listen": "0.0.0.0:7070"], file: file)
    #expect(configuration.tls?.certificate == "c" && configuration.tls?.key == "k" && configuration.clientCA == "a")
    #expect(configuration.tokenFile == "t" && configuration.accessFile == "r" && configuration.requiresCredentials)
    #expect(try !self.configuration().requiresCredentials)
  }
}
