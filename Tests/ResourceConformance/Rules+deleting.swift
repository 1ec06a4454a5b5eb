import Documents
import Resources
import Testing

extension BackendConformance {
  static let deleting: [ConformanceRule] = [
    ConformanceRule("A deleted object is gone, and the answer is what it was", needs: [.objects]) { s in
      let object = try await s.bring("a", [:])
      let (gone, isGone) = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions())
      #expect(isGone && gone.metadata.uid == object.metadata.uid && gone["spec"] == object["spec"])
      #expect(await s.refusal(of: "get a") { _ = try await s.get("a") }.code == 404)
      let again = await s.refusal(of: "delete a") {
        _ = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions())
      }
      #expect(again.code == 404)
      let reborn = try await s.bring("a", [:])
      #expect(reborn.metadata.uid != object.metadata.uid)
    },
    ConformanceRule("A deletion meant for another uid or version is refused", needs: [.objects]) { s in
      let object = try await s.bring("a", [:])
      let uid = await s.refusal(of: "uid") {
        _ = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions(preconditionUID: "other"))
      }
      #expect(uid.code == 409 && uid.message.contains("Precondition failed: UID in precondition: other"))
      let version = await s.refusal(of: "version") {
        _ = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions(preconditionResourceVersion: "1"))
      }
      #expect(version.code == 409 && version.reason == "Conflict")
      let (_, isGone) = try await s.backend.delete(
        s.resource, s.key("a"),
        DeleteOptions(
          preconditionUID: object.metadata.uid, preconditionResourceVersion: object.metadata.resourceVersion))
      #expect(isGone)
    },
    ConformanceRule("Finalizers hold an object until the last is gone", needs: [.answers, .objects]) { s in
      var body = TestKinds.widget("a", ["size": 1])
      body.metadata.finalizers = ["test.dev/one", "test.dev/two"]
      try await s.create(body)
      let watch = try await s.watch(since: try await s.version())
      let (held, isGone) = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions())
      #expect(!isGone && held.metadata.deletionTimestamp != nil && held.metadata.generation == 2)
      #expect(held.metadata.json["deletionGracePeriodSeconds"] == 0)
      let (again, _) = try await s.backend.delete(s.resource, s.key("a"), DeleteOptions())
      #expect(again == held, "to delete it again changes nothing")
      let added = await s.refusal(of: "a new finalizer") {
        try await s.merge("a", ["metadata": ["finalizers": ["test.dev/one", "test.dev/two", "test.dev/three"]]])
      }
      #expect(added.code == 422 && added.causes.map(\.reason) == ["FieldValueForbidden"])
      #expect(added.message.contains("no new finalizers can be added if the object is being deleted"))
      #expect(try await s.merge("a", ["spec": ["size": 4]])[path: "spec", "size"] == 4, "the spec stays writable")
      let one = try await s.merge("a", ["metadata": ["finalizers": ["test.dev/two"]]])
      #expect(one.metadata.finalizers == ["test.dev/two"])
      try await s.merge("a", ["metadata": ["finalizers": nil]])
      #expect(await s.refusal(of: "get a") { _ = try await s.get("a") }.code == 404)
      #expect(await watch.changes(4).map(\.change) == [.modified, .modified, .modified, .deleted])
    },
    ConformanceRule(
      "A namespace takes its content with it, and takes nothing new while it goes",
      needs: [.answers, .objects, .namespaces]
    ) {
      s in
      _ = try await s.backend.create(
        TestKinds.namespaces, namespace: "", ["metadata": ["name": "plant"]], WriteOptions())
      var held = TestKinds.widget("held")
      held.metadata.finalizers = ["test.dev/hold"]
      for body in [held, TestKinds.widget("free")] {
        _ = try await s.backend.create(s.resource, namespace: "plant", body, WriteOptions())
      }
      let (namespace, isGone) = try await s.backend.delete(
        TestKinds.namespaces, ObjectKey(name: "plant"), DeleteOptions())
      #expect(!isGone && namespace[path: "status", "phase"] == "Terminating")
      #expect(try await s.names(ListOptions(namespace: "plant")) == ["held"])
      let status = await s.refusal(of: "new content") {
        _ = try await s.backend.create(s.resource, namespace: "plant", TestKinds.widget("new"), WriteOptions())
      }
      #expect(status.code == 403 && status.causes.map(\.reason) == ["NamespaceTerminating"])
      _ = try await s.backend.patch(
        s.resource, ObjectKey(namespace: "plant", name: "held"), .merge(["metadata": ["finalizers": nil]]),
        subresource: nil, WriteOptions())
      let gone = await s.refusal(of: "get plant") {
        _ = try await s.backend.get(TestKinds.namespaces, ObjectKey(name: "plant"))
      }
      #expect(gone.code == 404)
    },
  ]

  private static func owned(_ name: String, by owners: [JSONValue], blocking: Bool = false) -> JSONValue {
    var object = TestKinds.widget(name)
    object.metadata.ownerReferences = owners.map {
      OwnerReference(
        apiVersion: "test.dev/v1", kind: "Widget", name: $0.metadata.name, uid: $0.metadata.uid,
        blocksOwnerDeletion: blocking)
    }
    return object
  }

  static let collecting: [ConformanceRule] = [
    ConformanceRule("Background: dependents go with the last of their owners, and so on down", needs: [.objects]) { s in
      let first = try await s.bring("owner-1", [:])
      let second = try await s.bring("owner-2", [:])
      let child = try await s.create(owned("child", by: [first, second]))
      try await s.create(owned("grandchild", by: [child]))
      try await s.remove("owner-1")
      #expect(try await s.names() == ["child", "grandchild", "owner-2"])
      try await s.remove("owner-2")
      let version = try await s.version()
      #expect(version > 0)
      try await s.settles("everything is gone") { try await s.names() == [] }
    },
    ConformanceRule("Orphan: dependents stay and lose the reference", needs: [.objects]) { s in
      let owner = try await s.bring("owner", [:])
      try await s.create(owned("child", by: [owner]))
      _ = try await s.backend.delete(s.resource, s.key("owner"), DeleteOptions(propagation: .orphan))
      try await s.settles("the child stands alone") {
        try await s.get("child").metadata.ownerReferences == []
      }
    },
    ConformanceRule("Foreground: the owner waits for the dependents that block it", needs: [.answers, .objects]) { s in
      let owner = try await s.bring("owner", [:])
      var child = owned("child", by: [owner], blocking: true)
      child.metadata.finalizers = ["test.dev/hold"]
      try await s.create(child)
      let (held, isGone) = try await s.backend.delete(
        s.resource, s.key("owner"), DeleteOptions(propagation: .foreground))
      #expect(!isGone && held.metadata.finalizers == ["foregroundDeletion"])
      #expect(held.metadata.deletionTimestamp != nil)
      try await s.settles("the child is being deleted") { try await s.get("child").metadata.deletionTimestamp != nil }
      #expect(try await s.names() == ["child", "owner"])
      try await s.merge("child", ["metadata": ["finalizers": nil]])
      try await s.settles("both are gone") { try await s.names() == [] }
    },
  ]
}

extension BackendUnderTest {
  /// Waits until `condition` holds; records what was awaited where it never does.
  func settles(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await !condition() {
      guard ContinuousClock.now < deadline else {
        Issue.record("not within the deadline: \(what)")
        return
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
