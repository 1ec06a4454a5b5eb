import Documents
import Resources
import Testing

extension BackendConformance {
  private static func widget(_ spec: JSONValue) -> JSONValue { TestKinds.widget("ssa", spec) }

  /// The entry of a manager, by what it did and where.
  private static func entry(
    _ object: JSONValue, _ manager: String, _ operation: String = "Apply", subresource: String? = nil
  ) -> JSONValue? {
    object.metadata.managedFields?.array?.first {
      $0["manager"]?.string == manager && $0["operation"]?.string == operation
        && $0["subresource"]?.string == subresource
    }
  }

  static let applying: [ConformanceRule] = [
    ConformanceRule("An apply needs a manager, apiVersion, kind, its own name and no managedFields", needs: [.objects])
    {
      s in
      let nobody = await s.refusal(of: "no manager") { try await s.apply(widget([:]), by: "") }
      #expect(nobody.code == 422 && nobody.causes.map(\.field) == ["fieldManager"])
      for name in ["apiVersion", "kind"] {
        var body = widget([:])
        body[name] = JSONValue?.none
        #expect(await s.refusal(of: "no \(name)") { try await s.apply(body, by: "one") }.code == 400)
      }
      var managed = widget([:])
      managed["metadata"]?["managedFields"] = [["manager": "x"]]
      #expect(await s.refusal(of: "managedFields") { try await s.apply(managed, by: "one") }.code == 400)
      let renamed = await s.refusal(of: "another name") {
        _ = try await s.backend.patch(
          s.resource, s.key("other"), .apply(widget([:]), force: false), subresource: nil,
          WriteOptions(fieldManager: "one"))
      }
      #expect(renamed.code == 400)
      let names = try await s.names()
      #expect(names == [])
    },
    ConformanceRule("An apply creates what is not there and owns what it says, not the defaults", needs: [.objects]) {
      s in
      let made = try await s.apply(
        widget(["size": 1, "parts": [["name": "a", "count": 1]], "tags": ["x"], "steps": ["p"]]), by: "one")
      #expect(made.isCreated && made.object[path: "spec", "colour"] == "red" && made.object.metadata.generation == 1)
      let one = entry(made.object, "one")
      #expect(one?["apiVersion"] == "test.dev/v1" && one?["fieldsType"] == "FieldsV1" && one?["time"] != nil)
      #expect(
        one?["fieldsV1"] == [
          "f:spec": [
            "f:size": [:], "f:steps": [:], "f:tags": ["v:\"x\"": [:]],
            "f:parts": ["k:{\"name\":\"a\"}": [".": [:], "f:name": [:], "f:count": [:]]],
          ]
        ])
      let again = try await s.apply(
        widget(["size": 1, "parts": [["name": "a", "count": 1]], "tags": ["x"], "steps": ["p"]]), by: "one")
      #expect(again.object == made.object && !again.isCreated)
    },
    ConformanceRule("Two managers share what they agree on; lists by key and sets are merged", needs: [.objects]) { s in
      try await s.apply(widget(["size": 1, "parts": [["name": "a", "count": 1]], "tags": ["x"]]), by: "one")
      let both = try await s.apply(widget(["size": 1, "parts": [["name": "b"]], "tags": ["y"]]), by: "two").object
      #expect(both[path: "spec", "parts"] == [["name": "a", "count": 1], ["name": "b"]])
      #expect(both[path: "spec", "tags"] == ["x", "y"])
      for manager in ["one", "two"] {
        #expect(entry(both, manager)?[path: "fieldsV1", "f:spec", "f:size"] == [:], "\(manager) shares size")
      }
      // What two own stays while one of them wants it.
      let left = try await s.apply(widget(["parts": [["name": "b"]]]), by: "two").object
      #expect(
        left["spec"] == [
          "size": 1, "colour": "red", "parts": [["name": "a", "count": 1], ["name": "b"]], "tags": ["x"],
        ])
      let gone = try await s.apply(widget([:]), by: "one").object
      #expect(gone["spec"] == ["colour": "red", "parts": [["name": "b"]]])
    },
    ConformanceRule("What another applied at a different value is a conflict, in Kubernetes' words", needs: [.objects])
    {
      s in
      try await s.apply(widget(["size": 1, "steps": ["p"]]), by: "one")
      let one = await s.refusal(of: "size") { try await s.apply(widget(["size": 2]), by: "two") }
      #expect(one.code == 409 && one.reason == "Conflict")
      #expect(one.message == "Apply failed with 1 conflict: conflict with \"one\": .spec.size")
      #expect(
        one.causes == [.init(reason: "FieldManagerConflict", message: "conflict with \"one\"", field: ".spec.size")])
      let two = await s.refusal(of: "size and steps") {
        try await s.apply(widget(["size": 2, "steps": ["q"]]), by: "two")
      }
      #expect(two.message == "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.size\n- .spec.steps")
      #expect(two.causes.map(\.field) == [".spec.size", ".spec.steps"])
      #expect(try await s.get("ssa")["spec"] == ["size": 1, "steps": ["p"], "colour": "red"])
    },
    ConformanceRule("Force takes the field over, and the loser no longer removes it", needs: [.objects]) { s in
      try await s.apply(widget(["size": 1, "steps": ["p"]]), by: "one")
      let forced = try await s.apply(widget(["size": 2]), by: "two", force: true).object
      #expect(forced[path: "spec", "size"] == 2)
      #expect(entry(forced, "one")?["fieldsV1"] == ["f:spec": ["f:steps": [:]]])
      #expect(entry(forced, "two")?["fieldsV1"] == ["f:spec": ["f:size": [:]]])
      let released = try await s.apply(widget([:]), by: "one").object
      #expect(released["spec"] == ["size": 2, "colour": "red"])
      let back = await s.refusal(of: "one wants it back") { try await s.apply(widget(["size": 1]), by: "one") }
      #expect(back.message.hasSuffix("conflict with \"two\": .spec.size"))
    },
    ConformanceRule("An ordinary write takes its fields from appliers, who are told by whom", needs: [.objects]) { s in
      try await s.apply(widget(["size": 1]), by: "one")
      let written = try await s.merge("ssa", ["spec": ["size": 3]], nil, WriteOptions(fieldManager: "person"))
      #expect(entry(written, "person", "Update")?["fieldsV1"] == ["f:spec": ["f:size": [:]]])
      #expect(entry(written, "one") == nil, "one owns nothing any more")
      let status = await s.refusal(of: "size") { try await s.apply(widget(["size": 4]), by: "one") }
      #expect(status.message.hasPrefix("Apply failed with 1 conflict: conflict with \"person\" using test.dev/v1"))
      #expect(status.message.hasSuffix(": .spec.size"))
    },
    ConformanceRule("A status apply owns status alone, and its spec is not looked at", needs: [.objects]) { s in
      try await s.apply(widget(["size": 1]), by: "one")
      var body = widget(["size": 9])
      body["status"] = ["phase": "Up"]
      let applied = try await s.apply(body, by: "gateway", .status).object
      #expect(applied["spec"] == ["size": 1, "colour": "red"] && applied["status"] == ["phase": "Up"])
      #expect(applied.metadata.generation == 1)
      #expect(entry(applied, "gateway", subresource: "status")?["fieldsV1"] == ["f:status": ["f:phase": [:]]])
      var main = widget(["size": 1])
      main["status"] = ["phase": "Down"]
      #expect(try await s.apply(main, by: "one").object["status"] == ["phase": "Up"])
      var rival = widget([:])
      rival["status"] = ["phase": "Down"]
      let status = await s.refusal(of: "phase") { try await s.apply(rival, by: "rival", .status) }
      #expect(
        status.message
          == "Apply failed with 1 conflict: conflict with \"gateway\" with subresource \"status\": .status.phase")
      #expect(
        await s.refusal(of: "a status of nothing") {
          _ = try await s.backend.patch(
            s.resource, s.key("none"), .apply(TestKinds.widget("none"), force: false), subresource: .status,
            WriteOptions(fieldManager: "one"))
        }.code == 404)
    },
    ConformanceRule("What nobody is known to own belongs to before-first-apply", needs: [.objects]) { s in
      try await s.create(TestKinds.widget("ssa", ["size": 1]), WriteOptions(fieldManager: "kubectl"))
      let reset = try await s.merge("ssa", ["metadata": ["managedFields": [[:]]]])
      #expect(reset.metadata.managedFields == nil)
      let status = await s.refusal(of: "size") { try await s.apply(widget(["size": 2]), by: "one") }
      #expect(
        status.message.hasPrefix("Apply failed with 1 conflict: conflict with \"before-first-apply\" using test.dev/v1")
      )
      let agreed = try await s.apply(widget(["size": 1]), by: "one").object
      #expect(entry(agreed, "before-first-apply", "Update")?[path: "fieldsV1", "f:spec", "f:size"] == [:])
      #expect(entry(agreed, "one")?["fieldsV1"] == ["f:spec": ["f:size": [:]]])
    },
    ConformanceRule("More than ten updaters are folded into ancient-changes", needs: [.objects]) { s in
      _ = try await s.bring("ssa", [:])
      for index in 0..<14 {
        let annotation: JSONValue = ["metadata": ["annotations": .object(["test.dev/k\(index)": "v"])]]
        try await s.merge("ssa", annotation, nil, WriteOptions(fieldManager: "m\(index)"))
      }
      let object = try await s.get("ssa")
      let updates = (object.metadata.managedFields?.array ?? []).filter { $0["operation"] == "Update" }
      #expect(updates.count == 10)
      let ancient = try #require(entry(object, "ancient-changes", "Update"))
      #expect(ancient[path: "fieldsV1", "f:metadata", "f:annotations", "f:test.dev/k0"] == [:])
      #expect(entry(object, "m13", "Update") != nil && entry(object, "m0", "Update") == nil)
    },
    ConformanceRule("An apply that names another version is a Conflict", needs: [.objects]) { s in
      try await s.apply(widget(["size": 1]), by: "one")
      var stale = widget(["size": 1])
      stale.metadata.resourceVersion = "1"
      let status = await s.refusal(of: "a stale apply") { try await s.apply(stale, by: "one") }
      #expect(status.code == 409 && status.message.contains("the object has been modified"))
    },
    ConformanceRule("An applied label goes with the next apply that lacks it", needs: [.objects]) { s in
      try await s.apply(TestKinds.widget("ssa", labels: ["a": "1", "b": "1"]), by: "one")
      try await s.merge("ssa", ["metadata": ["labels": ["c": "1"]]])
      let left = try await s.apply(TestKinds.widget("ssa", labels: ["a": "1"]), by: "one").object
      #expect(left.metadata.labels == ["a": "1", "c": "1"])
    },
  ]
}
