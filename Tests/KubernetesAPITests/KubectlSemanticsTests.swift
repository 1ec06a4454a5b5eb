import Documents
import Foundation
import ResourceConformance
import Resources
import TestSupport
import Testing

/// What kubectl makes of the finer rules: conflicts, cascades, dry runs, edits, and watches that are cut off.
@Suite("kubectl and the finer rules", .serialized, .timeLimit(.minutes(5)))
struct KubectlSemanticsTests {
  private static func widget(_ name: String, _ spec: String = "size: 1", metadata: String = "") -> String {
    "apiVersion: test.dev/v1\nkind: Widget\nmetadata: {name: \(name)\(metadata)}\nspec: {\(spec)}\n"
  }

  @Test("Changes are merged, told apart and rehearsed", arguments: Kubectl.Release.allCases)
  func applying(release: Kubectl.Release) async throws {
    try await KubectlTests.with(release) { kubectl, _ in
      let first = Self.widget("w", "size: 1, steps: [a, b]")
      #expect(try await kubectl.succeed("apply", "-f", "-", input: first).contains("created"))
      // What another wrote stays; what was applied and is not any more goes.
      _ = try await kubectl.succeed("patch", "widget", "w", "--type=merge", "-p", #"{"spec":{"colour":"green"}}"#)
      let second = Self.widget("w", "size: 2")
      let rehearsed = try await kubectl.succeed("apply", "--dry-run=server", "-f", "-", input: second)
      #expect(rehearsed.contains("configured (server dry run)"))
      let spec = "jsonpath={.spec}"
      #expect(try await kubectl.succeed("get", "widget", "w", "-o", spec).contains("\"steps\""))
      let diff = try await kubectl.run("diff", "-f", "-", input: second)
      #expect(diff.status == 1 && diff.output.contains("+  size: 2"), "\(diff.description)")
      _ = try await kubectl.succeed("apply", "-f", "-", input: second)
      let stored = try JSONValue(parsing: try await kubectl.succeed("get", "widget", "w", "-o", "json"))
      #expect(stored["spec"] == ["size": 2, "colour": "green"] && stored.metadata.generation == 3)
      #expect(try await kubectl.run("diff", "-f", "-", input: second).status == 0)
      _ = try await kubectl.succeed("annotate", "widget", "w", "note=one")
      #expect(try await kubectl.run("annotate", "widget", "w", "note=two").status != 0)
      _ = try await kubectl.succeed("annotate", "--overwrite", "widget", "w", "note=two")
      _ = try await kubectl.succeed("label", "widget", "w", "line=a")
      _ = try await kubectl.succeed("label", "widget", "w", "line-")
      let metadata = "jsonpath={.metadata.annotations.note}|{.metadata.labels}"
      #expect(
        ["two|", "two|{}", "two|map[]"].contains(try await kubectl.succeed("get", "widget", "w", "-o", metadata)))
      #expect(
        try await kubectl.succeed("delete", "widget", "w", "--dry-run=server").contains("deleted (server dry run)"))
      #expect(try await kubectl.succeed("get", "widgets", "-o", "name") == "widget.test.dev/w\n")
    }
  }

  @Test("An edit is a patch of what was changed in the editor", arguments: Kubectl.Release.allCases)
  func editing(release: Kubectl.Release) async throws {
    try await KubectlTests.with(release) { kubectl, _ in
      _ = try await kubectl.succeed("create", "-f", "-", input: Self.widget("w"))
      let edited = try await kubectl.run(environment: ["EDITOR": "sed -i 's/size: 1/size: 7/'"], "edit", "widget", "w")
      #expect(edited.status == 0 && edited.output.contains("edited"), "\(edited.description)")
      #expect(try await kubectl.succeed("get", "widget", "w", "-o", "jsonpath={.spec.size}") == "7")
      // What the schema forbids comes back to the editor, which makes no further change: kubectl gives up.
      let refused = try await kubectl.run(
        environment: ["EDITOR": "sed -i 's/size: 7$/size: 70/'"], "edit", "widget", "w")
      #expect(refused.status != 0 && refused.errors.contains("is invalid"), "\(refused.description)")
      #expect(try await kubectl.succeed("get", "widget", "w", "-o", "jsonpath={.spec.size}") == "7")
    }
  }

  @Test("Owners take their dependents along, leave them, or wait for them", arguments: Kubectl.Release.allCases)
  func cascades(release: Kubectl.Release) async throws {
    try await KubectlTests.with(release) { kubectl, server in
      for policy in ["background", "orphan", "foreground"] {
        _ = try await kubectl.succeed("create", "-f", "-", input: Self.widget("owner"))
        let uid = try await kubectl.succeed("get", "widget", "owner", "-o", "jsonpath={.metadata.uid}")
        let owner =
          ", ownerReferences: [{apiVersion: test.dev/v1, kind: Widget, name: owner, uid: \(uid), blockOwnerDeletion: true}]"
        _ = try await kubectl.succeed("create", "-f", "-", input: Self.widget("child", metadata: owner))
        _ = try await kubectl.succeed("delete", "widget", "owner", "--cascade=\(policy)", "--timeout=120s")
        let left = try await kubectl.succeed("get", "widgets", "-o", "name")
        #expect(left == (policy == "orphan" ? "widget.test.dev/child\n" : ""), "\(policy): \(left)")
        if policy == "orphan" { _ = try await kubectl.succeed("delete", "widget", "child") }
      }
    }
  }

  @Test("Selectors reach fields and labels, and what cannot be selected is said", arguments: Kubectl.Release.allCases)
  func selectors(release: Kubectl.Release) async throws {
    try await KubectlTests.with(release) { kubectl, server in
      let all =
        Self.widget("a", "colour: red") + "---\n" + Self.widget("b", "colour: green", metadata: ", labels: {l: x}")
      _ = try await kubectl.succeed("create", "-f", "-", input: all)
      func names(_ flag: String) async throws -> String {
        try await kubectl.succeed("get", "widgets", flag, "-o", "jsonpath={.items[*].metadata.name}")
      }
      #expect(try await names("--field-selector=spec.colour=green") == "b")
      #expect(try await names("--field-selector=metadata.name!=b") == "a")
      #expect(try await names("--selector=l notin (x)") == "a")
      #expect(try await names("--selector=!l") == "a")
      #expect(try await names("--selector=l in (x,y)") == "b")
      let refused = try await kubectl.run("get", "widgets", "--field-selector=spec.size=1")
      #expect(refused.status == 1 && refused.errors.contains("field label not supported: spec.size"))
      let raw = #"{"apiVersion":"test.dev/v1","kind":"Widget","metadata":{"name":"raw"},"spec":{"size":4}}"#
      let file = kubectl.home + "/raw.json"
      try raw.write(toFile: file, atomically: true, encoding: .utf8)
      let made = try await kubectl.succeed(
        "create", "--raw", "/apis/test.dev/v1/namespaces/default/widgets", "-f", file)
      #expect(try JSONValue(parsing: made)[path: "metadata", "generation"] == 1)
      #expect(
        try await kubectl.succeed("api-resources", "--verbs=list,patch", "-o", "name").contains("widgets.test.dev"))
      #expect(try await kubectl.succeed("explain", "widgets", "--recursive").contains("colour"))
      let described = try await kubectl.succeed("describe", "widget", "raw")
      #expect(described.contains("Size") && described.contains("raw"))
      #expect(try await kubectl.succeed("delete", "widgets", "--all").contains("\"a\" deleted"))
    }
  }

  @Test("Strict validation refuses what is unknown and what is said twice; a warning is shown")
  func validation() async throws {
    try await KubectlTests.with(.current) { kubectl, _ in
      let strict = try await kubectl.run(
        "apply", "--validate=strict", "-f", "-", input: Self.widget("w", "size: 1, weight: 2"))
      #expect(strict.status == 1 && strict.errors.contains("unknown field \"spec.weight\""), "\(strict.description)")
      #expect(try await kubectl.succeed("get", "widgets", "-o", "name").isEmpty)
      let warned = try await kubectl.run(
        "apply", "--validate=warn", "-f", "-", input: Self.widget("w", "size: 1, weight: 2"))
      #expect(warned.status == 0 && warned.errors.contains("Warning: unknown field \"spec.weight\""))
      let ignored = try await kubectl.run(
        "apply", "--validate=ignore", "-f", "-", input: Self.widget("v", "size: 1, weight: 2"))
      #expect(ignored.status == 0 && !ignored.errors.contains("Warning"), "\(ignored.description)")
    }
  }

  @Test("Fields change hands between two managers as Kubernetes has it")
  func ownership() async throws {
    try await KubectlTests.with(.current) { kubectl, _ in
      func apply(_ spec: String, _ manager: String, _ flags: String...) async throws -> Subprocess {
        try await kubectl.run(
          arguments: ["apply", "--server-side", "--field-manager", manager, "-f", "-"] + flags,
          input: Self.widget("w", spec))
      }
      #expect(try await apply("size: 1, tags: [x]", "one").status == 0)
      let diff = try await kubectl.run(
        "diff", "--server-side", "--field-manager", "two", "-f", "-", input: Self.widget("w", "tags: [z]"))
      #expect(diff.status == 1 && diff.output.contains("+  - z"), "\(diff.description)")
      let conflict = try await apply("size: 2", "two")
      #expect(conflict.status == 1, "\(conflict.description)")
      #expect(conflict.errors.contains("Apply failed with 1 conflict: conflict with \"one\": .spec.size"))
      #expect(try await apply("size: 2, tags: [z]", "two", "--force-conflicts").status == 0)
      #expect(try await apply("tags: [x]", "one").status == 0)
      let spec = try JSONValue(parsing: try await kubectl.succeed("get", "widget", "w", "-o", "jsonpath={.spec}"))
      #expect(spec == ["size": 2, "colour": "red", "tags": ["x", "z"]])
      // Client-side apply goes over to the server's side without a conflict with itself.
      _ = try await kubectl.succeed("apply", "-f", "-", input: Self.widget("c", "size: 3"))
      let over = try await kubectl.run("apply", "--server-side", "-f", "-", input: Self.widget("c", "size: 4"))
      #expect(over.status == 0, "\(over.description)")
    }
  }

  @Test(
    "A watch that is cut off with 410 ends; a wait goes on to its condition", arguments: Kubectl.Release.allCases)
  func expiry(release: Kubectl.Release) async throws {
    _ = try await Kubectl.program(of: release)
    let data = try DataDirectory()
    let store = try await data.open()
    let backend = InterruptingBackend(store)
    try await RunningServer.with([backend]) { server in
      let kubectl = try await Kubectl(release, server: server.url)
      defer { kubectl.remove() }
      _ = try await kubectl.succeed("create", "-f", "-", input: Self.widget("w"))
      let watch = try kubectl.start("get", "widgets", "-w", "-o", "name")
      let wait = try kubectl.start("wait", "--for=delete", "widget/w", "--timeout=120s")
      try await eventually("both watch") { backend.watches >= 2 }
      backend.expireWatches()
      let end = await watch.result(deadline: 120)
      #expect(
        end.status == 0 && end.output.hasPrefix("widget.test.dev/w\nstatus/"),
        "\(end.description)")
      try await eventually("the wait watches again") { backend.watches >= 1 }
      _ = try await kubectl.succeed("delete", "widget", "w")
      let gone = await wait.result(deadline: 120)
      #expect(gone.status == 0 || gone.errors.contains("not found"), "\(gone.description)")
    }
  }
}
