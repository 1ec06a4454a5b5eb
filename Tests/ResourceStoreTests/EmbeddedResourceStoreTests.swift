import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import Testing

@Suite("The embedded resource store")
struct EmbeddedResourceStoreTests: StoreTests {
  let directory = ScratchDirectory()
  let clock = HandClock()

  func owned(_ name: String, by owners: [JSONValue], blocking: Bool = false) -> JSONValue {
    var object = TestKinds.widget(name)
    object.metadata.ownerReferences = owners.map {
      OwnerReference(
        apiVersion: "test.dev/v1", kind: $0["kind"]?.string ?? "", name: $0.metadata.name, uid: $0.metadata.uid,
        blocksOwnerDeletion: blocking)
    }
    return object
  }

  func names(_ store: EmbeddedResourceStore) async throws -> [String] {
    try await store.list(TestKinds.widgets, ListOptions()).items.map(\.metadata.name)
  }

  func make(_ store: EmbeddedResourceStore, _ object: JSONValue) async throws -> JSONValue {
    try await store.create(TestKinds.widgets, namespace: "default", object, WriteOptions()).object
  }

  @Test("conforms to what every backend does", arguments: BackendConformance.rules)
  func conformance(_ rule: ConformanceRule) async throws {
    let store = try open()
    try await rule.hold(
      on: .serving(widgets: store, watcherCapacity: EmbeddedResourceStore.watcherCapacity) {
        clock.advance(.seconds(7_200))
        try await store.maintain()
      })
  }

  @Test("objects, versions and the log survive a restart")
  func restart() async throws {
    var store: EmbeddedResourceStore? = try open()
    let made = try await make(store!, TestKinds.widget("a"))
    let before = await store!.currentVersion
    store = nil
    let again = try open()
    #expect(try await again.get(TestKinds.widgets, key("a")) == made)
    #expect(await again.currentVersion == before)
    var iterator = try await again.watch(TestKinds.widgets, ListOptions(), since: before - 1).makeAsyncIterator()
    #expect(await iterator.next()?.object == made)
  }

  @Test("a second store on the same directory is refused by name")
  func lockedOut() throws {
    let first = try open()
    #expect { try open() } throws: { error in
      "\(error)".contains("another gateway") && "\(error)".contains(directory.path)
    }
    _ = first
  }

  @Test("a damaged file is moved aside and versions go on above the old ones")
  func corruption() async throws {
    var store: EmbeddedResourceStore? = try open()
    _ = try await make(store!, TestKinds.widget("a"))
    let before = await store!.currentVersion
    store = nil
    let path = "\(directory.path)/resources.db"
    try Data("this is no database, and never was one".utf8).write(to: URL(filePath: path))
    let again = try open()
    #expect(try await names(again) == [])
    #expect(await again.currentVersion > before)
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(files.contains { $0.hasPrefix("resources.db.corrupt-") })
  }

  @Test("damage inside the file is found when it is opened")
  func pageDamage() async throws {
    var store: EmbeddedResourceStore? = try open()
    for index in 0..<200 { _ = try await make(store!, TestKinds.widget("a\(index)")) }
    store = nil
    let url = URL(filePath: "\(directory.path)/resources.db")
    var bytes = try Data(contentsOf: url)
    #expect(bytes.count > 40_960)
    for index in 12_288..<28_672 { bytes[index] = 0xA5 }
    try bytes.write(to: url)
    _ = try open()
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(files.contains { $0.hasPrefix("resources.db.corrupt-") })
  }

  @Test("a directory that cannot be made is said in one line")
  func badDirectory() throws {
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    try Data().write(to: URL(filePath: "\(directory.path)/file"))
    #expect { try EmbeddedResourceStore.open(directory: "\(directory.path)/file/below", definitions: []) } throws: {
      error in
      "\(error)".contains("/file/below") && !"\(error)".contains("\n")
    }
  }

  @Test("a full database refuses the write with 507, keeps what it has, and takes writes again once there is room")
  func full() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.databaseBytes = 512 << 10
    let big = TestKinds.widget("big", ["extra": ["text": .string(String(repeating: "x", count: 1 << 20))]])
    do {
      let store = try open(retention)
      _ = try await make(store, TestKinds.widget("a"))
      let version = await store.currentVersion
      await #expect {
        try await make(store, big)
      } throws: { error in
        guard let status = error as? APIStatus else { return false }
        return status.code == 507 && status.message.contains("full")
      }
      #expect(await store.currentVersion == version)
      #expect(try await names(store) == ["a"])
      _ = try await make(store, TestKinds.widget("b"))
    }
    let roomy = try open()
    _ = try await make(roomy, big)
    #expect(try await names(roomy) == ["a", "b", "big"])
  }

  @Test("the starting namespaces are there and stay; the CRDs are there and read-only")
  func startingObjects() async throws {
    let store = try open()
    let namespaces = try await store.list(TestKinds.namespaces, ListOptions()).items
    #expect(namespaces.map(\.metadata.name) == ["default", "kube-system"])
    #expect(namespaces.allSatisfy { $0[path: "status", "phase"] == "Active" })
    await #expect(throws: APIStatus.self) {
      try await store.delete(TestKinds.namespaces, ObjectKey(name: "default"), DeleteOptions())
    }
    let crds = BuiltInKinds.customResourceDefinitions.name
    let listed = try await store.list(crds, ListOptions()).items
    #expect(listed.map(\.metadata.name) == ["racks.test.dev", "widgets.test.dev"])
    #expect(Conditions(of: listed[0]).isTrue("Established"))
    await #expect { try await store.delete(crds, ObjectKey(name: "racks.test.dev"), DeleteOptions()) } throws: {
      ($0 as? APIStatus)?.code == 405
    }
  }

  @Test("opening again with the same CRDs writes nothing")
  func crdsAreStable() async throws {
    var store: EmbeddedResourceStore? = try open()
    let before = await store!.currentVersion
    store = nil
    clock.advance(.seconds(60))
    store = try open()
    #expect(await store!.currentVersion == before)
  }

  @Test("a compacted version is refused with 410, a future one with 504")
  func compaction() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.changes = 16
    let store = try open(retention)
    let start = await store.currentVersion
    for index in 0..<40 { _ = try await make(store, TestKinds.widget("a\(index)")) }
    await #expect { try await store.watch(TestKinds.widgets, ListOptions(), since: start) } throws: {
      ($0 as? APIStatus)?.reason == "Expired"
    }
    let current = await store.currentVersion
    _ = try await store.watch(TestKinds.widgets, ListOptions(), since: current - 10)
    await #expect { try await store.watch(TestKinds.widgets, ListOptions(), since: current + 1) } throws: {
      ($0 as? APIStatus)?.code == 504
    }
  }

  @Test("changes older than their age go at maintenance, and an idle watcher hears how far the store is")
  func ageing() async throws {
    let store = try open()
    _ = try await make(store, TestKinds.widget("a"))
    let seen = await store.currentVersion
    let racks = try await store.watch(TestKinds.racks, ListOptions(), since: seen)
    _ = try await make(store, TestKinds.widget("b"))
    clock.advance(.seconds(7_200))
    try await store.maintain()
    await #expect(throws: APIStatus.self) { try await store.watch(TestKinds.widgets, ListOptions(), since: seen) }
    var iterator = racks.makeAsyncIterator()
    let bookmark = await iterator.next()
    #expect(bookmark?.change == .bookmark && bookmark?.object["kind"] == "Rack")
    #expect(bookmark?.resourceVersion == (await store.currentVersion))
  }

  @Test("an old page token is refused with 410")
  func oldToken() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.changes = 4
    let store = try open(retention)
    for index in 0..<3 { _ = try await make(store, TestKinds.widget("a\(index)")) }
    let token = try await store.list(TestKinds.widgets, ListOptions(limit: 1)).continueToken
    for index in 0..<12 { _ = try await make(store, TestKinds.widget("b\(index)")) }
    await #expect { try await store.list(TestKinds.widgets, ListOptions(limit: 1, continueToken: token)) } throws: {
      ($0 as? APIStatus)?.code == 410
    }
    await #expect { try await store.list(TestKinds.racks, ListOptions(limit: 1, continueToken: token)) } throws: {
      ($0 as? APIStatus)?.code == 400
    }
  }

  @Test("a watcher that does not keep up is told so and cut off; the writers go on")
  func slowWatcher() async throws {
    let store = try open()
    _ = try await make(store, TestKinds.widget("a"))
    let stream = try await store.watch(TestKinds.widgets, ListOptions(), since: nil)
    for index in 0..<EmbeddedResourceStore.watcherCapacity + 10 {
      _ = try await store.patch(
        TestKinds.widgets, key("a"), .merge(["metadata": ["annotations": ["n": .string("\(index)")]]]),
        subresource: nil,
        WriteOptions())
    }
    var last: WatchEvent?
    for await event in stream { last = event }
    #expect(last?.change == .error && last?.object["code"] == 410)
    #expect(store.watcherCount == 0)
  }

  @Test("a watcher that goes away is forgotten")
  func cancelledWatcher() async throws {
    let store = try open()
    let stream = try await store.watch(TestKinds.widgets, ListOptions(), since: nil)
    #expect(store.watcherCount == 1)
    let task = Task { for await _ in stream {} }
    task.cancel()
    await task.value
    #expect(store.watcherCount == 0)
  }

  @Test("dependents go with their last owner, and so on down")
  func collection() async throws {
    let store = try open()
    let first = try await make(store, TestKinds.widget("owner-1"))
    let second = try await make(store, TestKinds.widget("owner-2"))
    let child = try await make(store, owned("child", by: [first, second]))
    _ = try await make(store, owned("grandchild", by: [child]))
    _ = try await store.delete(TestKinds.widgets, first.objectKey, DeleteOptions())
    #expect(try await names(store) == ["child", "grandchild", "owner-2"])
    #expect(try await store.get(TestKinds.widgets, key("child")).metadata.ownerReferences.map(\.name) == ["owner-2"])
    _ = try await store.delete(TestKinds.widgets, second.objectKey, DeleteOptions())
    #expect(try await names(store) == [])
  }

  @Test("orphaned dependents stay and lose the reference")
  func orphaning() async throws {
    let store = try open()
    let owner = try await make(store, TestKinds.widget("owner"))
    _ = try await make(store, owned("child", by: [owner]))
    _ = try await store.delete(TestKinds.widgets, owner.objectKey, DeleteOptions(propagation: .orphan))
    #expect(try await store.get(TestKinds.widgets, key("child")).metadata.ownerReferences == [])
  }

  @Test("a foreground deletion waits for the dependents that block it")
  func foreground() async throws {
    let store = try open()
    let owner = try await make(store, TestKinds.widget("owner"))
    var child = owned("child", by: [owner], blocking: true)
    child.metadata.finalizers = ["test.dev/hold"]
    _ = try await make(store, child)
    let (held, isGone) = try await store.delete(
      TestKinds.widgets, owner.objectKey, DeleteOptions(propagation: .foreground))
    #expect(!isGone && held.metadata.finalizers == ["foregroundDeletion"])
    _ = try await store.patch(
      TestKinds.widgets, key("child"), .merge(["metadata": ["finalizers": nil]]), subresource: nil, WriteOptions())
    #expect(try await names(store) == [])
  }

  @Test("an object whose owners never were is collected at maintenance")
  func unknownOwner() async throws {
    let store = try open()
    var owner = TestKinds.widget("ghost")
    owner.metadata.uid = "00000000-0000-4000-8000-000000000000"
    _ = try await make(store, owned("child", by: [owner]))
    try await store.maintain()
    #expect(try await names(store) == [])
  }

  @Test("a namespace takes its content with it, and takes nothing new while it goes")
  func namespaceDeletion() async throws {
    let store = try open()
    _ = try await store.create(TestKinds.namespaces, namespace: "", ["metadata": ["name": "plant"]], WriteOptions())
    var held = TestKinds.widget("held")
    held.metadata.finalizers = ["test.dev/hold"]
    _ = try await store.create(TestKinds.widgets, namespace: "plant", held, WriteOptions())
    _ = try await store.create(TestKinds.widgets, namespace: "plant", TestKinds.widget("free"), WriteOptions())
    let (namespace, isGone) = try await store.delete(TestKinds.namespaces, ObjectKey(name: "plant"), DeleteOptions())
    #expect(!isGone && namespace[path: "status", "phase"] == "Terminating")
    #expect(try await names(store) == ["held"])
    await #expect {
      try await store.create(TestKinds.widgets, namespace: "plant", TestKinds.widget("new"), WriteOptions())
    } throws: { ($0 as? APIStatus)?.causes.first?.reason == "NamespaceTerminating" }
    _ = try await store.patch(
      TestKinds.widgets, ObjectKey(namespace: "plant", name: "held"), .merge(["metadata": ["finalizers": nil]]),
      subresource: nil, WriteOptions())
    await #expect(throws: APIStatus.self) { try await store.get(TestKinds.namespaces, ObjectKey(name: "plant")) }
  }

  @Test("events are found by what they are about, and expire")
  func events() async throws {
    let store = try open()
    for (index, uid) in ["u1", "u2"].enumerated() {
      let event: JSONValue = [
        "metadata": ["name": .string("e\(index)")],
        "involvedObject": ["kind": "Device", "name": "d", "uid": .string(uid)],
        "reason": "Found", "message": "m", "type": "Normal",
      ]
      _ = try await store.create(TestKinds.events, namespace: "default", event, WriteOptions())
    }
    let selector = try FieldSelector(parsing: "involvedObject.uid=u2,involvedObject.kind=Device")
    let found = try await store.list(TestKinds.events, ListOptions(fieldSelector: selector)).items
    #expect(found.map(\.metadata.name) == ["e1"])
    clock.advance(.seconds(3_601))
    try await store.maintain()
    #expect(try await store.list(TestKinds.events, ListOptions()).items == [])
  }

  @Test("at most so many events are kept: the newest")
  func eventBound() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.events = 3
    let store = try open(retention)
    for index in 0..<6 {
      let event: JSONValue = ["metadata": ["name": .string("e\(index)")], "involvedObject": ["name": "d"]]
      _ = try await store.create(TestKinds.events, namespace: "default", event, WriteOptions())
    }
    try await store.maintain()
    #expect(try await store.list(TestKinds.events, ListOptions()).items.map(\.metadata.name) == ["e3", "e4", "e5"])
  }

  @Test("a number written as 3.0 is the stored 3, and changes nothing")
  func wholeNumbers() async throws {
    let store = try open()
    let made = try await make(store, TestKinds.widget("a", ["size": 3, "extra": ["x": 1.5]]))
    let patch = Patch.merge(["spec": ["size": .double(3)]])
    #expect(try await store.patch(TestKinds.widgets, key("a"), patch, subresource: nil, WriteOptions()).object == made)
    let options = WriteOptions(fieldManager: "other")
    let applied = try await store.patch(
      TestKinds.widgets, key("a"), .apply(TestKinds.widget("a", ["size": .double(3)]), force: false), subresource: nil,
      options)
    #expect(applied.object["spec"] == made["spec"])
    #expect(applied.object.metadata.generation == 1)
  }

  @Test("a status write changes no owner but its own, and an unchanged write stores nothing")
  func ownership() async throws {
    let store = try open()
    _ = try await store.create(
      TestKinds.widgets, namespace: "default", TestKinds.widget("a", ["size": 1]), WriteOptions(fieldManager: "kubectl")
    )
    let status = WriteOptions(fieldManager: "gateway")
    let patch = Patch.merge(["status": ["phase": "Up"]])
    let first = try await store.patch(TestKinds.widgets, key("a"), patch, subresource: .status, status).object
    clock.advance(.seconds(60))
    #expect(try await store.patch(TestKinds.widgets, key("a"), patch, subresource: .status, status).object == first)
    let entries = first.metadata.managedFields?.array ?? []
    #expect(entries.map { $0["manager"]?.string } == ["kubectl", "gateway"])
    #expect(entries.map { $0["subresource"]?.string } == [nil, "status"])
    #expect(entries.last?["fieldsV1"] == ["f:status": ["f:phase": [:]]])
    #expect(entries.first?["fieldsV1"] == ["f:spec": ["f:colour": [:], "f:size": [:]]])
  }
}
