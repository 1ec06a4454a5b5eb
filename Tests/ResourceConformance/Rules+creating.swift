import Documents
import Resources
import Testing

extension BackendConformance {
  static let creating: [ConformanceRule] = [
    ConformanceRule("A created object has its identity, a version and generation 1", needs: [.objects]) { s in
      var body = TestKinds.widget("a", ["size": 3])
      body["metadata"]?["generation"] = 7
      body["metadata"]?["creationTimestamp"] = "2001-01-01T00:00:00Z"
      body["metadata"]?["uid"] = "mine"
      let result = try await s.backend.create(s.resource, namespace: s.namespace, body, WriteOptions())
      let object = result.object
      #expect(result.isCreated)
      #expect(object["apiVersion"] == "test.dev/v1" && object["kind"] == "Widget")
      #expect(object.metadata.generation == 1 && object.metadata.namespace == s.namespace)
      #expect(object.metadata.uid.count == 36 && object.metadata.creationTimestamp != nil)
      #expect(object.metadata.json["creationTimestamp"] != "2001-01-01T00:00:00Z")
      #expect((UInt64(object.metadata.resourceVersion) ?? 0) > 0)
      #expect(try await s.get("a") == object)
    },
    ConformanceRule("A second object of a name is refused with AlreadyExists", needs: [.objects]) { s in
      try await s.create(TestKinds.widget("a"))
      let status = await s.refusal(of: "a second a") { try await s.create(TestKinds.widget("a")) }
      #expect(status.code == 409 && status.reason == "AlreadyExists")
      #expect(status.message == "widgets.test.dev \"a\" already exists")
    },
    ConformanceRule("generateName is followed by five characters", needs: [.objects]) { s in
      var body = TestKinds.widget("")
      body.metadata.generateName = "gen-"
      let first = try await s.create(body).metadata.name
      let second = try await s.create(body).metadata.name
      let letters = "bcdfghjklmnpqrstvwxz2456789"
      for name in [first, second] {
        #expect(name.hasPrefix("gen-") && name.count == 9 && name.dropFirst(4).allSatisfy(letters.contains), "\(name)")
      }
      #expect(first != second)
    },
    ConformanceRule("A body of another kind, version, namespace or resourceVersion is refused", needs: [.objects]) {
      s in
      for (path, value): (String, JSONValue) in [("kind", "Gadget"), ("apiVersion", "test.dev/v9")] {
        var body = TestKinds.widget("b")
        body[path] = value
        #expect(await s.refusal(of: path) { try await s.create(body) }.code == 400)
      }
      var elsewhere = TestKinds.widget("b")
      elsewhere.metadata.namespace = "elsewhere"
      #expect(await s.refusal(of: "another namespace") { try await s.create(elsewhere) }.code == 400)
      var versioned = TestKinds.widget("b")
      versioned.metadata.resourceVersion = "5"
      let status = await s.refusal(of: "a resourceVersion") { try await s.create(versioned) }
      #expect(status.code == 400 && status.message == "resourceVersion should not be set on objects to be created")
      let names = try await s.names()
      #expect(names == [])
    },
    ConformanceRule("Names, labels and owners are checked with their paths", needs: [.objects]) { s in
      #expect(
        await s.refusal(of: "No") { try await s.create(TestKinds.widget("No")) }.causes.map(\.field) == [
          "metadata.name"
        ])
      #expect(await s.refusal(of: "no name") { try await s.create(TestKinds.widget("")) }.code == 422)
      let long = TestKinds.widget("a", labels: ["k": String(repeating: "x", count: 64)])
      #expect(
        await s.refusal(of: "a long label") { try await s.create(long) }.causes.map(\.field) == ["metadata.labels"])
      var owned = TestKinds.widget("a")
      owned["metadata"]?["ownerReferences"] = [["apiVersion": "v1", "kind": "Widget", "name": "x"]]
      #expect(await s.refusal(of: "an owner without uid") { try await s.create(owned) }.code == 422)
      let controller: JSONValue = [
        "apiVersion": "test.dev/v1", "kind": "Widget", "name": "x", "uid": "1", "controller": true,
      ]
      owned["metadata"]?["ownerReferences"] = [controller, controller.merging(["uid": "2"])]
      #expect(await s.refusal(of: "two controllers") { try await s.create(owned) }.code == 422)
      let names = try await s.names()
      #expect(names == [])
    },
    ConformanceRule("An object needs a namespace that there is", needs: [.objects, .namespaces]) { s in
      let status = await s.refusal(of: "nowhere") {
        _ = try await s.backend.create(s.resource, namespace: "nowhere", TestKinds.widget("b"), WriteOptions())
      }
      #expect(status.code == 404 && status.message == "namespaces \"nowhere\" not found")
    },
    ConformanceRule(
      "Unknown fields are pruned and told, or refused where validation is strict", needs: [.answers, .objects]
    ) {
      s in
      let unknown = TestKinds.widget("p", ["size": 1, "weight": 2, "extra": ["any": [1]]])
      let strict = await s.refusal(of: "strict") {
        try await s.create(unknown, WriteOptions(fieldValidation: .strict))
      }
      #expect(strict.code == 400)
      #expect(
        strict.message
          == "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.weight\""
      )
      let result = try await s.backend.create(s.resource, namespace: s.namespace, unknown, WriteOptions())
      #expect(result.warnings == ["unknown field \"spec.weight\""])
      #expect(result.object["spec"] == ["size": 1, "extra": ["any": [1]], "colour": "red"])
      let quiet = try await s.backend.create(
        s.resource, namespace: s.namespace, TestKinds.widget("q", ["weight": 2]), WriteOptions(fieldValidation: .ignore)
      )
      #expect(quiet.warnings == [] && quiet.object["spec"] == ["colour": "red"])
    },
    ConformanceRule("What the schema forbids is refused with the field and the bound", needs: [.objects]) { s in
      let status = await s.refusal(of: "size 11") { try await s.create(TestKinds.widget("q", ["size": 11])) }
      #expect(status.code == 422 && status.reason == "Invalid" && status.kind == "Widget")
      #expect(
        status.message
          == "Widget.test.dev \"q\" is invalid: spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"
      )
      let several = await s.refusal(of: "two faults") {
        try await s.create(TestKinds.widget("q", ["size": 11, "colour": "blue"]))
      }
      #expect(several.causes.count == 2 && several.message.contains("is invalid: ["), "\(several.message)")
    },
    ConformanceRule("What is not there is not found") { s in
      let status = await s.refusal(of: "get zz") { _ = try await s.get("zz") }
      #expect(status.code == 404 && status.reason == "NotFound" && status.message == "\(s.resource) \"zz\" not found")
      #expect(await s.refusal(of: "patch zz") { try await s.merge("zz", s.change(1)) }.code == 404)
      let other = ResourceName(group: s.resource.group, plural: "absents")
      #expect(
        await s.refusal(of: "no such kind") { _ = try await s.backend.list(other, ListOptions()) }.code == 404)
    },
  ]
}
