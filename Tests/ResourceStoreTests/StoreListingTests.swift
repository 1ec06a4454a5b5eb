import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import Testing

@Suite("Lists of the embedded store")
struct StoreListingTests: StoreTests {
  let directory = ScratchDirectory()
  let clock = HandClock()

  func make(_ store: EmbeddedResourceStore, _ name: String, _ spec: JSONValue = [:]) async throws {
    _ = try await store.create(
      TestKinds.widgets, namespace: "default", TestKinds.widget(name, spec, labels: ["n": name]), WriteOptions())
  }

  func change(_ store: EmbeddedResourceStore, _ name: String, _ colour: String) async throws {
    _ = try await store.patch(
      TestKinds.widgets, key(name), .merge(["spec": ["colour": .string(colour)]]), subresource: nil, WriteOptions())
  }

  /// All pages of two, with something done between the first and the second.
  func pages(
    _ store: EmbeddedResourceStore, _ options: ListOptions = ListOptions(), meanwhile: () async throws -> Void
  ) async throws -> (items: [JSONValue], left: [Int?], versions: Set<UInt64>) {
    var options = options
    options.limit = 2
    var items: [JSONValue] = []
    var left: [Int?] = []
    var versions: Set<UInt64> = []
    repeat {
      let page = try await store.list(TestKinds.widgets, options)
      let texts = try await store.encodedList(TestKinds.widgets, options)
      #expect(try texts.items.map { try JSONValue(parsing: $0) } == page.items)
      #expect(texts.continueToken == page.continueToken && texts.remainingItemCount == page.remainingItemCount)
      if items.isEmpty { try await meanwhile() }
      items += page.items
      left.append(page.remainingItemCount)
      versions.insert(page.resourceVersion)
      options.continueToken = page.continueToken
    } while options.continueToken != nil
    return (items, left, versions)
  }

  @Test("all pages show the state at the first one's version, whatever is written meanwhile")
  func consistentPages() async throws {
    let store = try open()
    for name in ["a", "b", "d", "e", "g"] { try await make(store, name) }
    let before = try await store.list(TestKinds.widgets, ListOptions()).items
    let (items, left, versions) = try await pages(store) {
      try await change(store, "a", "green")
      try await change(store, "e", "green")
      try await change(store, "e", "red")
      try await make(store, "c")
      try await make(store, "f")
      _ = try await store.delete(TestKinds.widgets, key("d"), DeleteOptions())
      _ = try await store.delete(TestKinds.widgets, key("g"), DeleteOptions())
      try await make(store, "g", ["colour": "green"])
    }
    #expect(items == before)
    #expect(left == [3, 1, nil])
    #expect(versions.count == 1)
    let now = try await store.list(TestKinds.widgets, ListOptions()).items
    #expect(now.map(\.metadata.name) == ["a", "b", "c", "e", "f", "g"])
  }

  @Test("what the log has compacted moves to the change that needs it")
  func consistentAfterCompaction() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.changes = 24
    let store = try open(retention)
    for index in 0..<8 { try await make(store, "w\(index)") }
    // These states are the first to be compacted, and the last before the page's version.
    let before = try await store.list(TestKinds.widgets, ListOptions()).items
    let (items, _, _) = try await pages(store) {
      for index in 0..<8 { try await change(store, "w\(index)", "green") }
      for index in 0..<10 { try await make(store, "x\(index)") }
      try await store.maintain()
    }
    #expect(items == before)
  }

  @Test("a selector is held against the state at the first page's version")
  func consistentSelection() async throws {
    let store = try open()
    for name in ["a", "b", "c", "d", "e"] { try await make(store, name, ["colour": "green"]) }
    let options = ListOptions(
      namespace: "default",
      fieldSelector: FieldSelector(requirements: [.init(path: "spec.colour", value: "green", isEqual: true)]))
    let (items, _, _) = try await pages(store, options) {
      for name in ["c", "d"] { try await change(store, name, "red") }
    }
    #expect(items.map(\.metadata.name) == ["a", "b", "c", "d", "e"])
    #expect(items.allSatisfy { $0[path: "spec", "colour"] == "green" })
  }

  @Test("texts and objects of a list are the same after the schema has got a new default")
  func newDefaults() async throws {
    var plain = TestKinds.widgetCRD
    var version = plain[path: "spec", "versions"]?.array?.first ?? [:]
    var schema = version[path: "schema", "openAPIV3Schema"] ?? [:]
    var spec = schema[path: "properties", "spec"] ?? [:]
    var colour = spec[path: "properties", "colour"] ?? [:]
    colour["default"] = JSONValue?.none
    spec["properties"]?["colour"] = colour
    schema["properties"]?["spec"] = spec
    version["schema"]?["openAPIV3Schema"] = schema
    plain["spec"]?["versions"] = [version]
    do {
      let store = try EmbeddedResourceStore.open(
        directory: directory.path, definitions: [try #require(ResourceDefinition(crd: plain))])
      try await make(store, "old")
      #expect(try await store.get(TestKinds.widgets, key("old"))[path: "spec", "colour"] == nil)
    }
    let store = try open()
    try await make(store, "young")
    let objects = try await store.list(TestKinds.widgets, ListOptions()).items
    #expect(objects.map { $0[path: "spec", "colour"] } == ["red", "red"])
    let texts = try await store.encodedList(TestKinds.widgets, ListOptions()).items
    #expect(try texts.map { try JSONValue(parsing: $0) } == objects)
  }

  @Test("a watch of more than one page begins with all objects as they stood, then tells what happened since")
  func pagedWatch() async throws {
    let store = try open()
    let names = (0..<1_203).map { "w\(10_000 + $0)" }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in names { group.addTask { try await make(store, name) } }
      try await group.waitForAll()
    }
    let stream = try await store.watch(TestKinds.widgets, ListOptions(), since: nil)
    let version = await store.currentVersion
    try await change(store, "w11202", "green")
    _ = try await store.delete(TestKinds.widgets, key("w10000"), DeleteOptions())
    var events: [WatchEvent] = []
    for await event in stream {
      events.append(event)
      if events.count == names.count + 3 { break }
    }
    #expect(events.prefix(names.count).map(\.object.metadata.name) == names)
    #expect(events.prefix(names.count).allSatisfy { $0.change == .added && $0.object[path: "spec", "colour"] == "red" })
    let rest = events.dropFirst(names.count)
    #expect(rest.map(\.change) == [.bookmark, .modified, .deleted])
    #expect(rest.map(\.resourceVersion) == [version, version + 1, version + 2])
  }

  @Test("an exact version is listed as it stood then, page by page, as long as the log reaches back to it")
  func exactVersions() async throws {
    let store = try open()
    for name in ["a", "b", "d"] { try await make(store, name) }
    let before = try await store.list(TestKinds.widgets, ListOptions())
    try await change(store, "a", "green")
    try await make(store, "c")
    _ = try await store.delete(TestKinds.widgets, key("d"), DeleteOptions())
    let (items, _, versions) = try await pages(store, ListOptions(exactVersion: before.resourceVersion)) {
      try await change(store, "b", "red")
    }
    #expect(items == before.items && versions == [before.resourceVersion])
    let newest = await store.currentVersion
    #expect(try await store.list(TestKinds.widgets, ListOptions(exactVersion: newest)).items.count == 3)
    clock.advance(.seconds(7_200))
    try await store.maintain()
    let error = await #expect(throws: APIStatus.self) {
      _ = try await store.list(TestKinds.widgets, ListOptions(exactVersion: before.resourceVersion))
    }
    #expect(error?.code == 410 && error?.reason == "Expired")
  }
}
