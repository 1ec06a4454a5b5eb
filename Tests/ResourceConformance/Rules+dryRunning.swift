import Documents
import Resources
import Testing

extension BackendConformance {
  private static let dry = WriteOptions(isDryRun: true)

  static let dryRunning: [ConformanceRule] = [
    ConformanceRule("A dry run of any write answers as if done and stores nothing", needs: [.objects]) { s in
      let object = try await s.bring("a", [:])
      let start = try await s.version()
      let watch = try await s.watch(since: start)
      let created = try await s.create(TestKinds.widget("dry", ["size": 2]), dry)
      #expect(created.metadata.generation == 1 && !created.metadata.uid.isEmpty)
      #expect(created["spec"] == ["size": 2, "colour": "red"])
      let updated = try await s.update("a", object.merging(["spec": ["size": 7]]), nil, dry)
      #expect(updated[path: "spec", "size"] == 7 && updated.metadata.generation == 2)
      #expect(try await s.merge("a", ["spec": ["size": 8]], nil, dry)[path: "spec", "size"] == 8)
      #expect(try await s.merge("a", ["status": ["phase": "x"]], .status, dry)["status"] == ["phase": "x"])
      let (gone, isGone) = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions(isDryRun: true))
      #expect(isGone && gone.metadata.uid == object.metadata.uid)
      #expect(try await s.names() == ["a"])
      #expect(try await s.get("a") == object)
      #expect(try await s.version() == start)
      let after = try await s.merge("a", ["spec": ["size": 3]])
      #expect(await watch.changes(1).map(\.object) == [after], "the watch heard of no dry run")
    },
    ConformanceRule("A dry run of a patch stores nothing") { s in
      let object = try await s.bring("a", [:])
      let answered = try await s.merge("a", s.change(5), nil, dry)
      #expect(answered["spec"] != object["spec"])
      #expect(try await s.get("a")["spec"] == object["spec"])
    },
    ConformanceRule("A dry run is refused as the real write would be", needs: [.objects]) { s in
      _ = try await s.bring("a", [:])
      #expect(await s.refusal(of: "again") { try await s.create(TestKinds.widget("a"), dry) }.reason == "AlreadyExists")
      #expect(await s.refusal(of: "size 11") { try await s.merge("a", ["spec": ["size": 11]], nil, dry) }.code == 422)
      #expect(
        await s.refusal(of: "uid") {
          _ = try await s.backend.delete(
            s.resource, s.key("a"), DeleteOptions(isDryRun: true, preconditionUID: "other"))
        }.code == 409)
    },
    ConformanceRule("An apply's dry run is the real apply, but for version, uid and time", needs: [.objects]) { s in
      func comparable(_ object: JSONValue) -> JSONValue {
        var object = object
        for name in ["resourceVersion", "uid", "creationTimestamp"] { object["metadata"]?[name] = JSONValue?.none }
        let entries = (object.metadata.managedFields?.array ?? []).map { entry in
          var entry = entry
          entry["time"] = JSONValue?.none
          return entry
        }
        object["metadata"]?["managedFields"] = .array(entries)
        return object
      }
      let steps: [(spec: JSONValue, manager: String, force: Bool)] = [
        (["size": 1, "parts": [["name": "a", "count": 1]], "tags": ["x"]], "one", false),
        (["parts": [["name": "b"]], "tags": ["y"]], "two", false),
        (["size": 2, "steps": ["p", "q"]], "two", true),
        (["tags": ["x"]], "one", false),
        ([:], "two", false),
      ]
      for (index, step) in steps.enumerated() {
        let body = TestKinds.widget("ssa", step.spec)
        let start = try await s.version()
        let rehearsed = try await s.apply(body, by: step.manager, force: step.force, isDryRun: true)
        #expect(try await s.version() == start)
        let real = try await s.apply(body, by: step.manager, force: step.force)
        #expect(rehearsed.isCreated == real.isCreated)
        #expect(
          comparable(rehearsed.object).serialised() == comparable(real.object).serialised(), "step \(index)")
      }
    },
  ]
}
