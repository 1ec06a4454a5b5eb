import Documents
import Resources
import Testing

extension BackendConformance {
  static let owning: [ConformanceRule] = [
    ConformanceRule("An update owns what it changed; its time moves only then", needs: [.objects]) { s in
      let made = try await s.create(TestKinds.widget("a", ["size": 1]), WriteOptions(fieldManager: "maker"))
      let entries = made.metadata.managedFields?.array ?? []
      #expect(entries.map { $0["manager"] } == ["maker"] && entries.map { $0["operation"] } == ["Update"])
      let changed = try await s.merge("a", ["spec": ["size": 2]], nil, WriteOptions(fieldManager: "changer"))
      let owners = changed.metadata.managedFields?.array ?? []
      #expect(owners.map { $0["manager"] } == ["maker", "changer"])
      #expect(owners.last?["fieldsV1"] == ["f:spec": ["f:size": [:]]])
      #expect(owners.first?[path: "fieldsV1", "f:spec", "f:size"] == nil)
      let again = try await s.merge("a", ["spec": ["size": 2]], nil, WriteOptions(fieldManager: "third"))
      #expect(again == changed, "to say what is so takes nothing from anybody")
    },
    ConformanceRule("A write may hand fields to another owner, or forget all owners", needs: [.answers, .objects]) {
      s in
      let made = try await s.create(TestKinds.widget("a", ["size": 1]), WriteOptions(fieldManager: "maker"))
      var entry = try #require(made.metadata.managedFields?.array?.first)
      entry["manager"] = "heir"
      entry["operation"] = "Apply"
      let operations: JSONValue = [
        ["op": "replace", "path": "/metadata/managedFields", "value": [entry]],
        ["op": "replace", "path": "/metadata/resourceVersion", "value": .string(made.metadata.resourceVersion)],
      ]
      let handed = try await s.backend.patch(
        s.resource, s.key("a"), .json(operations), subresource: nil, WriteOptions(fieldManager: "clerk")
      ).object
      #expect(handed.metadata.managedFields == [entry])
      #expect(handed["spec"] == made["spec"] && handed.metadata.generation == 1)
      // Size was the heir's alone: who no longer applies it, removes it.
      let left = try await s.apply(TestKinds.widget("a"), by: "heir").object
      #expect(left["spec"] == ["colour": "red"])
      let unreadable = try await s.merge("a", ["metadata": ["managedFields": [["manager": 5]], "labels": ["l": "1"]]])
      #expect(unreadable.metadata.labels == ["l": "1"] && unreadable.metadata.managedFields?.array?.isEmpty == false)
      #expect(try await s.merge("a", ["metadata": ["managedFields": [[:]]]]).metadata.managedFields == nil)
    },
    ConformanceRule(
      "kubectl's server-side apply takes over what its client-side apply set, and no more", needs: [.objects]
    ) { s in
      let last = TestKinds.widget("a", ["size": 1, "steps": ["p"]])
      var body = last
      body.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] = String(
        decoding: last.serialised(), as: UTF8.self)
      try await s.create(body, WriteOptions(fieldManager: "kubectl-client-side-apply"))
      try await s.merge("a", ["spec": ["steps": ["q"]]], nil, WriteOptions(fieldManager: "person"))
      let wanted = TestKinds.widget("a", ["size": 2])
      let other = await s.refusal(of: "another manager") { try await s.apply(wanted, by: "other") }
      #expect(other.code == 409)
      #expect(try await s.apply(wanted, by: "kubectl").object[path: "spec", "size"] == 2)
      let changed = await s.refusal(of: "what a person changed") {
        try await s.apply(TestKinds.widget("a", ["size": 2, "steps": ["r"]]), by: "kubectl")
      }
      #expect(changed.causes.map(\.field) == [".spec.steps"])
    },
  ]
}
