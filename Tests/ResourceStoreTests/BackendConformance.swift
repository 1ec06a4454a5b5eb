import Documents
import Resources
import Testing

/// What every ``ResourceBackend`` does, whatever is behind it. The backend serves ``TestKinds`` and is empty.
struct BackendConformance {
  let backend: any ResourceBackend
  private let widgets = TestKinds.widgets

  func holds() async throws {
    try await createsAndReads()
    try await prunesDefaultsAndRefuses()
    try await updates()
    try await keepsStatusApart()
    try await patches()
    try await lists()
    try await watches()
    try await deletes()
    try await applies()
  }

  private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

  @discardableResult
  private func create(_ object: JSONValue, _ options: WriteOptions = WriteOptions()) async throws(APIStatus)
    -> WriteResult
  {
    try await backend.create(widgets, namespace: "default", object, options)
  }

  private func refusal<Result>(_ body: () async throws(APIStatus) -> Result) async -> APIStatus? {
    do throws(APIStatus) {
      _ = try await body()
      return nil
    } catch { return error }
  }

  private func createsAndReads() async throws {
    let result = try await create(TestKinds.widget("a", ["size": 3]))
    #expect(result.isCreated)
    let object = result.object
    #expect(object.metadata.generation == 1 && object.metadata.namespace == "default")
    #expect(!object.metadata.uid.isEmpty && object.metadata.creationTimestamp != nil)
    #expect(UInt64(object.metadata.resourceVersion) != nil)
    #expect(try await backend.get(widgets, key("a")) == object)
    #expect(
      await refusal { () throws(APIStatus) in try await create(TestKinds.widget("a")) }?.reason == "AlreadyExists")
    let missing = await refusal { () throws(APIStatus) in try await backend.get(widgets, key("zz")) }
    #expect(missing?.message == "widgets.test.dev \"zz\" not found" && missing?.code == 404)
    var generated = TestKinds.widget("")
    generated.metadata.generateName = "gen-"
    let name = try await create(generated).object.metadata.name
    #expect(name.hasPrefix("gen-") && name.count == 9)
    _ = try await backend.delete(widgets, key(name), DeleteOptions())
    let nowhere = await refusal { () throws(APIStatus) in
      try await backend.create(widgets, namespace: "nowhere", TestKinds.widget("b"), WriteOptions())
    }
    #expect(nowhere?.message == "namespaces \"nowhere\" not found")
    var versioned = TestKinds.widget("b")
    versioned.metadata.resourceVersion = "5"
    #expect(await refusal { () throws(APIStatus) in try await create(versioned) }?.code == 400)
    var foreign = TestKinds.widget("b")
    foreign["kind"] = "Gadget"
    #expect(await refusal { () throws(APIStatus) in try await create(foreign) }?.code == 400)
    _ = try await create(TestKinds.widget("dry"), WriteOptions(isDryRun: true))
    #expect(await refusal { () throws(APIStatus) in try await backend.get(widgets, key("dry")) }?.code == 404)
  }

  private func prunesDefaultsAndRefuses() async throws {
    let unknown = TestKinds.widget("p", ["size": 1, "weight": 2, "extra": ["any": [1]]])
    let strict = await refusal { () throws(APIStatus) in
      try await create(unknown, WriteOptions(fieldValidation: .strict))
    }
    #expect(
      strict?.message
        == "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.weight\""
    )
    let result = try await create(unknown)
    #expect(result.warnings == ["unknown field \"spec.weight\""])
    #expect(result.object["spec"] == ["size": 1, "extra": ["any": [1]], "colour": "red"])
    let invalid = await refusal { () throws(APIStatus) in try await create(TestKinds.widget("q", ["size": 11])) }
    #expect(invalid?.code == 422)
    #expect(
      invalid?.message
        == "Widget.test.dev \"q\" is invalid: spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"
    )
    #expect(
      await refusal { () throws(APIStatus) in try await create(TestKinds.widget("No")) }?.causes.first?.field
        == "metadata.name")
  }

  private func updates() async throws {
    var object = try await backend.get(widgets, key("a"))
    let unchanged = try await backend.update(widgets, key("a"), object, subresource: nil, WriteOptions())
    #expect(unchanged.object == object)
    let stale = object
    object["spec"]?["size"] = 4
    let updated = try await backend.update(widgets, key("a"), object, subresource: nil, WriteOptions()).object
    #expect(updated.metadata.generation == 2 && updated.metadata.resourceVersion != object.metadata.resourceVersion)
    let conflict = await refusal { () throws(APIStatus) in
      try await backend.update(widgets, key("a"), stale, subresource: nil, WriteOptions())
    }
    #expect(conflict?.code == 409 && conflict?.reason == "Conflict")
    var blind = updated
    blind.metadata.resourceVersion = ""
    #expect(
      await refusal { () throws(APIStatus) in
        try await backend.update(widgets, key("a"), blind, subresource: nil, WriteOptions())
      }?.code == 422)
    var labelled = updated
    labelled.metadata.labels["x"] = "1"
    labelled.metadata.uid = ""
    let relabelled = try await backend.update(widgets, key("a"), labelled, subresource: nil, WriteOptions()).object
    #expect(relabelled.metadata.generation == 2 && relabelled.metadata.uid == updated.metadata.uid)
  }

  private func keepsStatusApart() async throws {
    let before = try await backend.get(widgets, key("a"))
    let patched = try await backend.patch(
      widgets, key("a"), .merge(["status": ["phase": "Up"], "spec": ["size": 9]]), subresource: .status, WriteOptions()
    ).object
    #expect(patched["spec"] == before["spec"] && patched[path: "status", "phase"] == "Up")
    #expect(patched.metadata.generation == before.metadata.generation)
    let main = try await backend.patch(
      widgets, key("a"), .merge(["status": ["phase": "Down"]]), subresource: nil, WriteOptions()
    ).object
    #expect(main == patched)
    #expect(
      await refusal { () throws(APIStatus) in
        try await backend.patch(
          widgets, key("a"), .merge(["status": ["phase": 7]]), subresource: .status, WriteOptions())
      }?.causes.first?.field == "status.phase")
  }

  private func patches() async throws {
    let merged = try await backend.patch(
      widgets, key("a"), .merge(["spec": ["size": 5, "colour": nil]]), subresource: nil, WriteOptions()
    ).object
    #expect(merged["spec"] == ["size": 5, "colour": "red"])
    let operations: JSONValue = [
      ["op": "test", "path": "/spec/size", "value": 5], ["op": "replace", "path": "/spec/size", "value": 6],
    ]
    let result = try await backend.patch(widgets, key("a"), .json(operations), subresource: nil, WriteOptions()).object
    #expect(result[path: "spec", "size"] == 6)
    #expect(
      await refusal { () throws(APIStatus) in
        try await backend.patch(widgets, key("a"), .json(operations), subresource: nil, WriteOptions())
      }?.code == 422)
    #expect(
      await refusal { () throws(APIStatus) in
        try await backend.patch(
          widgets, key("a"), .merge(["metadata": ["resourceVersion": "1"], "spec": ["size": 2]]), subresource: nil,
          WriteOptions())
      }?.code == 409)
  }

  private func lists() async throws {
    for index in 0..<5 {
      try await create(
        TestKinds.widget("list-\(index)", ["colour": .string(index % 2 == 0 ? "red" : "green")], labels: ["set": "l"]))
    }
    var options = ListOptions(namespace: "default", labelSelector: LabelSelector(matchLabels: ["set": "l"]))
    #expect(try await backend.list(widgets, options).items.map(\.metadata.name) == (0..<5).map { "list-\($0)" })
    options.fieldSelector = FieldSelector(requirements: [.init(path: "spec.colour", value: "green", isEqual: true)])
    #expect(try await backend.list(widgets, options).items.map(\.metadata.name) == ["list-1", "list-3"])
    options.fieldSelector = FieldSelector(requirements: [.init(path: "spec.size", value: "1", isEqual: true)])
    let unsupported = await refusal { () throws(APIStatus) in try await backend.list(widgets, options) }
    #expect(unsupported?.message == "field label not supported: spec.size")
    var names: [String] = []
    var page = ListOptions(namespace: "default", limit: 2)
    repeat {
      let list = try await backend.list(widgets, page)
      #expect(list.items.count <= 2)
      if list.continueToken != nil { #expect(list.remainingItemCount != nil) }
      names += list.items.map(\.metadata.name)
      page.continueToken = list.continueToken
    } while page.continueToken != nil
    #expect(names == names.sorted() && Set(names).count == names.count)
    #expect(names == (try await backend.list(widgets, ListOptions())).items.map(\.metadata.name))
  }

  private func watches() async throws {
    let options = ListOptions(namespace: "default", labelSelector: LabelSelector(matchLabels: ["w": "1"]))
    let start = try await backend.list(widgets, options).resourceVersion
    let fresh = try await backend.watch(widgets, options, since: nil)
    let resumed = try await backend.watch(widgets, options, since: start)
    try await create(TestKinds.widget("w", labels: ["w": "1"]))
    try await create(TestKinds.widget("other"))
    _ = try await backend.patch(widgets, key("w"), .merge(["spec": ["size": 2]]), subresource: nil, WriteOptions())
    _ = try await backend.patch(
      widgets, key("w"), .merge(["metadata": ["labels": ["w": "2"]]]), subresource: nil, WriteOptions())
    _ = try await backend.patch(
      widgets, key("w"), .merge(["metadata": ["labels": ["w": "1"]]]), subresource: nil, WriteOptions())
    _ = try await backend.delete(widgets, key("w"), DeleteOptions())
    let late = try await backend.watch(widgets, options, since: start)
    let expected: [WatchEvent.Change] = [.added, .modified, .deleted, .added, .deleted]
    for (name, stream) in [("fresh", fresh), ("resumed", resumed), ("late", late)] {
      var seen: [WatchEvent] = []
      for await event in stream {
        if event.change != .bookmark { seen.append(event) }
        if seen.count == expected.count { break }
      }
      #expect(seen.map(\.change) == expected, "\(name)")
      #expect(seen.map(\.resourceVersion) == seen.map(\.resourceVersion).sorted())
      #expect(seen.allSatisfy { $0.object.metadata.resourceVersion == String($0.resourceVersion) })
      #expect(seen[2].object.metadata.labels == ["w": "1"], "the last state that matched")
    }
  }

  private func deletes() async throws {
    let object = try await backend.get(widgets, key("list-0"))
    #expect(
      await refusal { () throws(APIStatus) in
        try await backend.delete(widgets, key("list-0"), DeleteOptions(preconditionUID: "else"))
      }?.code == 409)
    let (gone, isGone) = try await backend.delete(
      widgets, key("list-0"), DeleteOptions(preconditionUID: object.metadata.uid))
    #expect(isGone && gone.metadata.uid == object.metadata.uid)
    _ = try await backend.patch(
      widgets, key("list-1"), .merge(["metadata": ["finalizers": ["test.dev/hold"]]]), subresource: nil, WriteOptions())
    let (held, heldIsGone) = try await backend.delete(widgets, key("list-1"), DeleteOptions())
    #expect(!heldIsGone && held.metadata.deletionTimestamp != nil && held.metadata.generation == 2)
    #expect(try await backend.delete(widgets, key("list-1"), DeleteOptions()).object == held)
    #expect(
      await refusal { () throws(APIStatus) in
        try await backend.patch(
          widgets, key("list-1"), .merge(["metadata": ["finalizers": ["test.dev/hold", "test.dev/more"]]]),
          subresource: nil, WriteOptions())
      }?.code == 422)
    _ = try await backend.patch(
      widgets, key("list-1"), .merge(["metadata": ["finalizers": nil]]), subresource: nil, WriteOptions())
    #expect(await refusal { () throws(APIStatus) in try await backend.get(widgets, key("list-1")) }?.code == 404)
  }

  private func applies() async throws {
    let one = WriteOptions(fieldManager: "one")
    let two = WriteOptions(fieldManager: "two")
    func apply(_ spec: JSONValue, _ options: WriteOptions, force: Bool = false) async throws(APIStatus) -> WriteResult {
      try await backend.patch(
        widgets, key("ssa"), .apply(TestKinds.widget("ssa", spec), force: force), subresource: nil, options)
    }
    #expect(
      await refusal { () throws(APIStatus) in try await apply([:], WriteOptions()) }?.causes.first?.field
        == "fieldManager")
    let first = try await apply(["size": 1, "parts": [["name": "a", "count": 1]], "tags": ["x"]], one)
    #expect(first.isCreated)
    #expect(
      try await apply(["size": 1, "parts": [["name": "a", "count": 1]], "tags": ["x"]], one).object == first.object)
    let second = try await apply(["parts": [["name": "b"]], "tags": ["y"]], two).object
    #expect(second[path: "spec", "parts"] == [["name": "a", "count": 1], ["name": "b"]])
    #expect(second[path: "spec", "tags"] == ["x", "y"])
    let conflict = await refusal { () throws(APIStatus) in try await apply(["size": 2], two) }
    #expect(conflict?.message == "Apply failed with 1 conflict: conflict with \"one\": .spec.size")
    #expect(
      conflict?.causes == [.init(reason: "FieldManagerConflict", message: "conflict with \"one\"", field: ".spec.size")]
    )
    let dry = try await apply(["size": 2], WriteOptions(isDryRun: true, fieldManager: "two"), force: true).object
    let forced = try await apply(["size": 2], two, force: true).object
    #expect(forced[path: "spec", "size"] == 2)
    #expect(forced["spec"] == dry["spec"])
    #expect(forced[path: "spec", "parts"] == [["name": "a", "count": 1]], "two let go of b")
    let released = try await apply([:], one).object
    #expect(released["spec"] == ["size": 2, "colour": "red"], "what one applied is gone, what two took stays")
    _ = try await backend.patch(
      widgets, key("ssa"), .merge(["spec": ["size": 3]]), subresource: nil, WriteOptions(fieldManager: "person"))
    let byPerson = await refusal { () throws(APIStatus) in try await apply(["size": 4], two) }
    #expect(byPerson?.message.contains("conflict with \"person\" using test.dev/v1") == true)
  }
}
