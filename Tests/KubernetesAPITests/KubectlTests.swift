import Documents
import Foundation
import Resources
import TestSupport
import Testing

@Suite("kubectl against the API and the store", .serialized, .timeLimit(.minutes(5)))
struct KubectlTests {
  static func with(
    _ release: Kubectl.Release, _ body: @escaping @Sendable (Kubectl, RunningServer) async throws -> Void
  ) async throws {
    do {
      _ = try await Kubectl.program(of: release)
    } catch {
      try Test.cancel("no kubectl \(release) here: \(error)")
    }
    try await RunningServer.withStore { server, _ in
      let kubectl = try await Kubectl(release, server: server.url)
      defer { kubectl.remove() }
      try await body(kubectl, server)
    }
  }

  static func contract(_ file: String) -> String { "\(Kubectl.root)/Examples/contract/\(file)" }

  @Test(
    "What users write applies unchanged, and applying it again changes nothing", arguments: Kubectl.Release.allCases)
  func contract(release: Kubectl.Release) async throws {
    try await Self.with(release) { kubectl, _ in
      let folder = "\(Kubectl.root)/Examples/contract"
      let first = try await kubectl.succeed("apply", "-f", folder)
      #expect(first.contains("device.selvedge.dev/boiler-1 created"))
      #expect(first.contains("pipeline.selvedge.dev/line-a created"))
      let again = try await kubectl.succeed("apply", "-f", folder)
      #expect(!again.contains("configured") && !again.contains("created"), "\(again)")
      #expect(again.contains("device.selvedge.dev/boiler-1 unchanged"))
      let same = try await kubectl.run("diff", "-f", folder)
      #expect(same.status == 0, "\(same.description)")
      let listed = try await kubectl.succeed("get", "dev")
      #expect(listed.contains("NAME") && listed.contains("boiler-1") && listed.contains("room-1"), "\(listed)")
      #expect(try await kubectl.succeed("get", "devices", "-A", "-o", "name").split(separator: "\n").count == 3)
      #expect(try await kubectl.succeed("get", "device", "boiler-1", "-o", "yaml").contains("setpoint: 55.5"))
    }
  }

  @Test("The verbs of a day's work", arguments: Kubectl.Release.allCases)
  func verbs(release: Kubectl.Release) async throws {
    try await Self.with(release) { kubectl, _ in
      _ = try await kubectl.succeed("apply", "-f", Self.contract("02-devices.yaml"))
      #expect(try await kubectl.succeed("label", "device", "boiler-1", "shift=night").contains("labeled"))
      #expect(try await kubectl.succeed("get", "devices", "-l", "shift=night", "-o", "name").contains("boiler-1"))
      let patch = #"{"spec":{"desired":{"setpoint":60}}}"#
      _ = try await kubectl.succeed("patch", "device", "boiler-1", "--type=merge", "-p", patch)
      let value = "jsonpath={.spec.desired.setpoint} {.metadata.generation}"
      #expect(try await kubectl.succeed("get", "device", "boiler-1", "-o", value) == "60 2")
      let json = #"[{"op":"replace","path":"/spec/desired/setpoint","value":61}]"#
      _ = try await kubectl.succeed("patch", "device", "boiler-1", "--type=json", "-p", json)
      #expect(try await kubectl.succeed("get", "device", "boiler-1", "-o", value) == "61 3")
      let strategic = try await kubectl.run("patch", "device", "boiler-1", "-p", patch)
      #expect(strategic.status != 0 && strategic.errors.contains("merge-patch"), "\(strategic.description)")
      #expect(try await kubectl.succeed("describe", "device", "boiler-1").contains("Setpoint"))
      let sorted = try await kubectl.succeed(
        "get", "devices", "--sort-by=.metadata.name", "-o", "wide", "--show-labels")
      #expect(sorted.split(separator: "\n").count == 4 && sorted.contains("shift=night"), "\(sorted)")
      let object = try await kubectl.succeed("get", "device", "room-1", "-o", "json")
      #expect(try await kubectl.succeed("replace", "-f", "-", input: object).contains("replaced"))
      let made = try await kubectl.succeed(
        "create", "--dry-run=server", "-f", "-",
        input: "apiVersion: selvedge.dev/v1alpha1\nkind: Device\nmetadata: {generateName: dry-}\nspec: {}")
      #expect(made.contains("created (server dry run)"), "\(made)")
      #expect(try await kubectl.succeed("get", "devices", "-o", "name").split(separator: "\n").count == 3)
      #expect(try await kubectl.succeed("get", "--raw", "/version").contains("selvedge"))
      #expect(try await kubectl.succeed("get", "crd").contains("devices.selvedge.dev"))
      let diff = try await kubectl.run("diff", "-f", Self.contract("02-devices.yaml"))
      #expect(diff.status == 1 && diff.output.contains("+    setpoint: 55.5"), "\(diff.description)")
      let explained = try await kubectl.succeed("explain", "devices.spec")
      #expect(explained.contains("desired") && explained.contains("modelRef"), "\(explained)")
      #expect(try await kubectl.succeed("explain", "devices.metadata").contains("generateName"))
      #expect(try await kubectl.succeed("api-resources", "--api-group=selvedge.dev").contains("devicemodels"))
      #expect(try await kubectl.succeed("auth", "can-i", "delete", "devices").contains("yes"))
      #expect(try await kubectl.succeed("delete", "device", "boiler-1").contains("deleted"))
      let gone = try await kubectl.run("get", "device", "boiler-1")
      #expect(gone.status == 1 && gone.errors.contains("\"boiler-1\" not found"))
      #expect(try await kubectl.succeed("delete", "devices", "--all").contains("\"room-1\" deleted"))
      #expect(try await kubectl.succeed("create", "namespace", "hall-2").contains("created"))
      #expect(try await kubectl.succeed("get", "ns").contains("hall-2"))
      #expect(try await kubectl.succeed("delete", "ns", "hall-2").contains("deleted"))
    }
  }

  @Test("What is wrong is refused with its path, and nothing is stored", arguments: Kubectl.Release.allCases)
  func refusals(release: Kubectl.Release) async throws {
    try await Self.with(release) { kubectl, _ in
      let head = "apiVersion: selvedge.dev/v1alpha1\nkind: Device\nmetadata: {name: bad}\nspec: "
      let unknown = try await kubectl.run("apply", "-f", "-", input: head + "{adress: 1}")
      #expect(unknown.status == 1 && unknown.errors.contains("adress"), "\(unknown.description)")
      let wrong = try await kubectl.run("apply", "--validate=false", "-f", "-", input: head + "{writes: Perhaps}")
      #expect(wrong.status == 1 && wrong.errors.contains("spec.writes"), "\(wrong.description)")
      let type = try await kubectl.run("apply", "-f", "-", input: head + "{writes: 5}")
      #expect(type.status == 1 && type.errors.contains("writes"), "\(type.description)")
      #expect(try await kubectl.succeed("get", "devices", "-o", "name").isEmpty)
    }
  }

  @Test("A watch shows changes as they come", arguments: Kubectl.Release.allCases)
  func watch(release: Kubectl.Release) async throws {
    try await Self.with(release) { kubectl, _ in
      let watch = try kubectl.start("get", "devices", "-w", "-o", "name")
      let table = try kubectl.start("get", "devices", "-w")
      _ = try await kubectl.succeed("apply", "-f", Self.contract("02-devices.yaml"))
      try await eventually("three devices are shown") { watch.output.split(separator: "\n").count >= 3 }
      _ = try await kubectl.succeed("label", "device", "room-1", "seen=yes")
      try await eventually("the change is shown") { watch.output.split(separator: "\n").count >= 4 }
      try await eventually("the table has one header and four rows") {
        table.output.split(separator: "\n").count >= 5
      }
      #expect(table.output.components(separatedBy: "NAME").count == 2, "\(table.output)")
      watch.terminate()
      table.terminate()
      _ = await watch.result(deadline: 5)
      _ = await table.result(deadline: 5)
    }
  }

  @Test("Waiting ends when a condition becomes true", arguments: Kubectl.Release.allCases)
  func waiting(release: Kubectl.Release) async throws {
    try await Self.with(release) { kubectl, server in
      _ = try await kubectl.succeed("apply", "-f", Self.contract("02-devices.yaml"))
      let wait = try kubectl.start("wait", "--for=condition=Ready", "device/room-1", "--timeout=120s")
      let status =
        #"{"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"True","reason":"Connected","message":"","lastTransitionTime":"2026-11-21T04:00:00Z"}]}}"#
      let path = "/apis/selvedge.dev/v1alpha1/namespaces/default/devices/room-1/status"
      let reply = try await server.curl(
        path, ["-X", "PATCH", "-H", "Content-Type: application/merge-patch+json", "-d", status])
      #expect(reply.code == 200, "\(reply.body)")
      let end = await wait.result(deadline: 120)
      #expect(end.status == 0 && end.output.contains("condition met"), "\(end.description)")
      let deletion = try kubectl.start("wait", "--for=delete", "device/room-1", "--timeout=120s")
      _ = try await kubectl.succeed("delete", "device", "room-1", "--wait=true")
      let gone = await deletion.result(deadline: 120)
      // 1.20 says that there is no such device where it is gone before the wait began.
      #expect(gone.status == 0 || gone.errors.contains("not found"), "\(gone.description)")
    }
  }

  @Test("Server-side apply finds conflicts and takes fields by force", arguments: Kubectl.Release.allCases)
  func serverSideApply(release: Kubectl.Release) async throws {
    try await Self.with(release) { kubectl, _ in
      let manifest =
        "apiVersion: selvedge.dev/v1alpha1\nkind: Broker\nmetadata: {name: b}\nspec: {url: \"mqtt://h:1883\"}"
      let other = manifest.replacingOccurrences(of: "1883", with: "1884")
      func apply(_ text: String, _ manager: String, _ more: String...) async throws -> Subprocess {
        switch more.first {
        case nil: try await kubectl.run("apply", "--server-side", "--field-manager", manager, "-f", "-", input: text)
        case let flag?:
          try await kubectl.run("apply", "--server-side", "--field-manager", manager, flag, "-f", "-", input: text)
        }
      }
      let first = try await apply(manifest, "one")
      #expect(first.status == 0, "\(first.description)")
      let conflict = try await apply(other, "two")
      #expect(conflict.status == 1 && conflict.errors.contains("conflict with \"one\""), "\(conflict.description)")
      let dry = try await apply(other, "two", "--dry-run=server")
      #expect(dry.status == 1)
      let forced = try await apply(other, "two", "--force-conflicts")
      #expect(forced.status == 0, "\(forced.description)")
      #expect(try await kubectl.succeed("get", "broker", "b", "-o", "jsonpath={.spec.url}") == "mqtt://h:1884")
    }
  }
}
