import Documents
import Foundation
import Resources
import Testing

@Suite("kubectl and the core kinds", .serialized, .timeLimit(.minutes(5)))
struct CoreKindKubectlTests {
  @Test("Secrets, ConfigMaps and namespaces are made, shown and deleted", arguments: Kubectl.Release.allCases)
  func core(release: Kubectl.Release) async throws {
    try await KubectlTests.with(release) { kubectl, _ in
      let made = try await kubectl.succeed(
        "create", "secret", "generic", "broker", "--type=kubernetes.io/basic-auth", "--from-literal=username=gw",
        "--from-literal=password=p ss=")
      #expect(made.contains("secret/broker created"))
      #expect(try await kubectl.succeed("get", "secret", "broker", "-o", "jsonpath={.data.password}") == "cCBzcz0=")
      let table = try await kubectl.succeed("get", "secrets").split(separator: "\n").map {
        $0.split(separator: " ", omittingEmptySubsequences: true)
      }
      #expect(table[0] == ["NAME", "TYPE", "DATA", "AGE"])
      #expect(table[1].prefix(3) == ["broker", "kubernetes.io/basic-auth", "2"])
      let described = try await kubectl.succeed("describe", "secret", "broker")
      #expect(described.contains("password:  5 bytes") && !described.contains("cCBzcz0="), "\(described)")

      let map = try await kubectl.succeed("create", "configmap", "settings", "--from-literal=a=1", "--from-literal=b=2")
      #expect(map.contains("configmap/settings created"))
      #expect(try await kubectl.succeed("get", "cm", "settings").contains("settings   2 "))
      let patched = try await kubectl.succeed("patch", "cm", "settings", "-p", #"{"data":{"a":null,"c":"3"}}"#)
      #expect(patched.contains("patched"))
      #expect(try await kubectl.succeed("get", "cm", "settings", "-o", "jsonpath={.data.a}{.data.b}{.data.c}") == "23")
      let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: \"4\"}"
      _ = try await kubectl.succeed("apply", "-f", "-", input: manifest)
      #expect(try await kubectl.succeed("apply", "-f", "-", input: manifest).contains("unchanged"))

      #expect(try await kubectl.succeed("create", "namespace", "hall-2").contains("created"))
      let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ntype: kubernetes.io/tls\nstringData: {tls.crt: x}"
      let refused = try await kubectl.run("apply", "-n", "hall-2", "-f", "-", input: secret)
      #expect(refused.status == 1 && refused.errors.contains("data[tls.key]: Required value"), "\(refused.description)")
      _ = try await kubectl.succeed("create", "secret", "generic", "other", "-n", "hall-2", "--from-literal=a=b")
      for words in [["secret", "broker"], ["configmap", "settings"], ["namespace", "hall-2"]] {
        #expect(try await kubectl.succeed("delete", words[0], words[1]).contains("deleted"))
      }
      #expect(try await kubectl.succeed("get", "secrets,cm", "-A", "-o", "name").isEmpty)
    }
  }

  @Test("Devices are chosen by node and model, and the lists of kinds read well")
  func fieldSelectors() async throws {
    try await KubectlTests.with(.current) { kubectl, _ in
      for (name, node) in [("a", "gw-1"), ("b", "gw-2")] {
        let device =
          "apiVersion: selvedge.dev/v1alpha1\nkind: Device\nmetadata: {name: \(name)}\nspec: {nodeName: \(node), modelRef: {name: m-\(name)}}"
        _ = try await kubectl.succeed("apply", "-f", "-", input: device)
      }
      func names(_ selector: String) async throws -> String {
        try await kubectl.succeed(
          "get", "devices", "--field-selector", selector, "-o", "jsonpath={.items[*].metadata.name}")
      }
      #expect(try await names("spec.nodeName=gw-1") == "a")
      #expect(try await names("spec.modelRef.name=m-b") == "b")
      #expect(try await names("spec.nodeName!=gw-1,spec.modelRef.name=m-b") == "b")
      let kinds = try await kubectl.succeed("api-resources", "--no-headers")
      for line in ["secrets", "configmaps", "leases", "events", "namespaces", "devices"] {
        #expect(kinds.contains("\n\(line) ") || kinds.hasPrefix("\(line) "), "\(line) in \(kinds)")
      }
    }
  }

  @Test("A strategic merge patch is taken for built-in kinds, not for custom ones, and not with directives")
  func strategicMerge() async throws {
    try await RunningServer.withStore { server, _ in
      let path = "/api/v1/namespaces/default/configmaps"
      let made = try await server.curl(
        path, ["-H", "Content-Type: application/json", "-d", #"{"metadata":{"name":"a"},"data":{"x":"1","y":"2"}}"#])
      #expect(made.code == 201, "\(made.body)")
      func patch(_ path: String, _ body: String) async throws -> (code: Int, body: String) {
        let reply = try await server.curl(
          path, ["-X", "PATCH", "-H", "Content-Type: application/strategic-merge-patch+json", "-d", body])
        return (reply.code, reply.body)
      }
      let merged = try await patch(path + "/a", #"{"$setElementOrder/list":["a"],"data":{"x":null,"z":"3"}}"#)
      #expect(merged.code == 200, "\(merged.body)")
      #expect(try JSONValue(parsing: merged.body)["data"] == ["y": "2", "z": "3"])
      let replaced = try await patch(path + "/a", #"{"data":{"$patch":"replace","q":"1"}}"#)
      #expect(replaced.code == 400 && replaced.body.contains("$patch"))
      let custom = try await patch("/apis/selvedge.dev/v1alpha1/namespaces/default/devices/a", "{}")
      #expect(custom.code == 415)
    }
  }
}
