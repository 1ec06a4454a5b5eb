import Documents
import Resources
import Testing

extension BackendConformance {
  static let updating: [ConformanceRule] = [
    ConformanceRule("An update made for an older version is a Conflict") { s in
      let stale = try await s.bring("a", [:])
      try await s.merge("a", s.change(1))
      let status = await s.refusal(of: "a stale update") { try await s.update("a", stale.merging(s.change(2))) }
      #expect(status.code == 409 && status.reason == "Conflict")
      #expect(
        status.message
          == "Operation cannot be fulfilled on \(s.resource) \"a\": the object has been modified; please apply your changes to the latest version and try again"
      )
    },
    ConformanceRule("An update without a version is refused", needs: [.conditionalUpdates]) { s in
      var blind = try await s.bring("a", [:])
      blind.metadata.resourceVersion = ""
      let status = await s.refusal(of: "a blind update") { try await s.update("a", blind) }
      #expect(status.code == 422 && status.causes.map(\.field) == ["metadata.resourceVersion"])
      #expect(status.message.hasSuffix("must be specified for an update"))
    },
    ConformanceRule("An update creates nothing", needs: [.objects]) { s in
      var body = TestKinds.widget("new")
      body.metadata.resourceVersion = "1"
      #expect(await s.refusal(of: "a create by update") { try await s.update("new", body) }.code == 404)
    },
    ConformanceRule("An update moves the version, and the generation with the spec alone", needs: [.objects]) { s in
      var object = try await s.bring("a", [:])
      object["spec"]?["size"] = 4
      let sized = try await s.update("a", object)
      #expect(sized.metadata.generation == 2 && sized[path: "spec", "size"] == 4)
      #expect((UInt64(sized.metadata.resourceVersion) ?? 0) > (UInt64(object.metadata.resourceVersion) ?? 0))
      var labelled = sized
      labelled.metadata.labels["x"] = "1"
      let relabelled = try await s.update("a", labelled)
      #expect(relabelled.metadata.generation == 2 && relabelled.metadata.labels == ["x": "1"])
      #expect(relabelled.metadata.resourceVersion != sized.metadata.resourceVersion)
    },
    ConformanceRule("Identity and the server's own metadata cannot be changed", needs: [.objects]) { s in
      let object = try await s.bring("a", [:])
      var forged = object
      forged["metadata"]?["generation"] = 99
      forged["metadata"]?["creationTimestamp"] = "2001-01-01T00:00:00Z"
      forged["metadata"]?["deletionTimestamp"] = "2001-01-01T00:00:00Z"
      forged["metadata"]?["labels"] = ["x": "1"]
      let stored = try await s.update("a", forged)
      #expect(stored.metadata.generation == 1 && stored.metadata.deletionTimestamp == nil)
      #expect(stored.metadata.json["creationTimestamp"] == object.metadata.json["creationTimestamp"])
      var renamed = stored
      renamed.metadata.name = "b"
      #expect(await s.refusal(of: "another name") { try await s.update("a", renamed) }.code == 400)
      var reborn = stored
      reborn.metadata.uid = "00000000-0000-4000-8000-000000000000"
      #expect(await s.refusal(of: "another uid") { try await s.update("a", reborn) }.code == 409)
    },
    ConformanceRule("A write that changes nothing keeps the version and tells nobody") { s in
      let object = try await s.bring("a", [:])
      try await s.merge("a", s.change(1))
      let before = try await s.get("a")
      let start = try await s.version()
      let watch = try await s.watch(since: start)
      #expect(try await s.update("a", before).metadata.resourceVersion == before.metadata.resourceVersion)
      #expect(try await s.merge("a", [:]) == before)
      #expect(try await s.version() == start)
      // The next real change is the first thing that the watch hears of.
      let after = try await s.merge("a", s.change(2))
      let seen = await watch.changes(1)
      #expect(seen.first?.object.metadata.resourceVersion == after.metadata.resourceVersion)
      #expect(object.metadata.uid == after.metadata.uid)
    },
    ConformanceRule("Status and the rest are written apart", needs: [.objects]) { s in
      var body = TestKinds.widget("a", ["size": 1])
      body["status"] = ["phase": "Up"]
      let made = try await s.create(body)
      #expect(made["status"] == nil, "a create carries no status")
      let patched = try await s.merge("a", ["status": ["phase": "Up"], "spec": ["size": 9]], .status)
      #expect(patched["spec"] == made["spec"] && patched["status"] == ["phase": "Up"])
      #expect(patched.metadata.generation == 1)
      #expect(try await s.merge("a", ["status": ["phase": "Down"]]) == patched)
      var whole = patched
      whole["status"] = ["phase": "Down", "ready": true]
      whole["spec"] = ["size": 2]
      whole.metadata.labels = ["not": "this-way"]
      let updated = try await s.update("a", whole, .status)
      #expect(updated["spec"] == made["spec"] && updated["status"] == ["phase": "Down", "ready": true])
      #expect(updated.metadata.labels == [:] && updated.metadata.generation == 1)
      let main = try await s.update("a", updated.merging(["spec": ["size": 5], "status": ["phase": "Up"]]))
      #expect(main[path: "status", "phase"] == "Down" && main.metadata.generation == 2)
      let status = await s.refusal(of: "a wrong status") { try await s.merge("a", ["status": ["phase": 7]], .status) }
      #expect(status.code == 422 && status.causes.map(\.field) == ["status.phase"])
      #expect(
        await s.refusal(of: "a stale status") {
          try await s.merge("a", ["metadata": ["resourceVersion": "1"], "status": ["phase": "x"]], .status)
        }.code == 409)
    },
    ConformanceRule("A kind without status has no such subresource", needs: [.objects]) { s in
      _ = try await s.backend.create(TestKinds.racks, namespace: "", ["metadata": ["name": "r"]], WriteOptions())
      let status = await s.refusal(of: "racks/status") {
        _ = try await s.backend.patch(
          TestKinds.racks, ObjectKey(name: "r"), .merge([:]), subresource: .status, WriteOptions())
      }
      #expect(status.code == 404)
    },
  ]

  static let patching: [ConformanceRule] = [
    ConformanceRule("A merge patch changes what it names, and null takes away (RFC 7386)", needs: [.objects]) { s in
      try await s.create(TestKinds.widget("a", ["size": 1, "colour": "green", "steps": ["x", "y"]]))
      let merged = try await s.merge("a", ["spec": ["size": 5, "colour": nil, "steps": ["z"]]])
      #expect(merged["spec"] == ["size": 5, "colour": "red", "steps": ["z"]])
      #expect(await s.refusal(of: "a list") { try await s.merge("a", [1]) }.code == 400)
    },
    ConformanceRule("A JSON patch is carried out whole or refused (RFC 6902)", needs: [.answers]) { s in
      _ = try await s.bring("a", [:])
      try await s.merge("a", s.change(4))
      let path = "/" + s.changedField.joined(separator: "/")
      func value(_ number: Int) -> JSONValue {
        s.changedField.reduce(s.change(number)) { $0[$1] ?? .null }
      }
      func patch(_ operations: JSONValue) async throws -> JSONValue {
        let result: WriteResult = try await s.backend.patch(
          s.resource, s.key("a"), Patch.json(operations), subresource: nil, WriteOptions())
        return result.object
      }
      let operations: JSONValue = [
        ["op": "test", "path": .string(path), "value": value(4)],
        ["op": "replace", "path": .string(path), "value": value(6)],
      ]
      let result = try await patch(operations)
      #expect(s.changedField.reduce(result) { $0[$1] ?? .null } == value(6))
      let failed = await s.refusal(of: "a failed test") { _ = try await patch(operations) }
      #expect(failed.code == 422 && failed.reason == "Invalid")
      #expect(
        await s.refusal(of: "a path that is not there") {
          _ = try await patch([["op": "remove", "path": "/spec/absent/below"]])
        }.code == 422)
      #expect(
        await s.refusal(of: "no operation") { _ = try await patch([["op": "jump", "path": "/spec"]]) }.code == 400)
      #expect(await s.refusal(of: "no list") { _ = try await patch(["op": "remove"]) }.code == 400)
      #expect(try await s.get("a") == result)
    },
    ConformanceRule("A patch that names another version is a Conflict; one that names none is not", needs: [.answers]) {
      s in
      let object = try await s.bring("a", [:])
      try await s.merge("a", s.change(1))
      let version = JSONValue.string(object.metadata.resourceVersion)
      let stale = s.change(2).merging(["metadata": ["resourceVersion": version]])
      #expect(await s.refusal(of: "a stale merge") { try await s.merge("a", stale) }.reason == "Conflict")
      let operations: JSONValue = [["op": "replace", "path": "/metadata/resourceVersion", "value": version]]
      #expect(
        await s.refusal(of: "a stale JSON patch") {
          _ = try await s.backend.patch(s.resource, s.key("a"), .json(operations), subresource: nil, WriteOptions())
        }.reason == "Conflict")
      try await s.merge("a", s.change(3))
    },
    ConformanceRule("A patch that empties the name or moves the object is refused", needs: [.objects]) { s in
      let object = try await s.bring("a", [:])
      #expect(await s.refusal(of: "a name") { try await s.merge("a", ["metadata": ["name": "b"]]) }.code == 400)
      #expect(await s.refusal(of: "a kind") { try await s.merge("a", ["kind": "Gadget"]) }.code == 400)
      #expect(await s.refusal(of: "metadata") { try await s.merge("a", ["metadata": 5]) }.code == 400)
      #expect(try await s.get("a") == object)
    },
    ConformanceRule("A refused patch stores nothing", needs: [.objects]) { s in
      let object = try await s.bring("a", [:])
      let start = try await s.version()
      let status = await s.refusal(of: "size 11") { try await s.merge("a", ["spec": ["size": 11]]) }
      #expect(status.code == 422 && status.causes.map(\.field) == ["spec.size"])
      #expect(try await s.get("a") == object)
      #expect(try await s.version() == start)
    },
  ]
}
