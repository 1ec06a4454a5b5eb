import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import Testing

@Suite("Commits of the embedded store")
struct StoreCommitTests {
  let directory = ScratchDirectory()

  func open(_ retention: EmbeddedResourceStore.Retention = .init()) throws -> EmbeddedResourceStore {
    try EmbeddedResourceStore.open(
      directory: directory.path, definitions: TestKinds.definitions, retention: retention)
  }

  func make(_ store: EmbeddedResourceStore, _ object: JSONValue) async throws -> JSONValue {
    try await store.create(TestKinds.widgets, namespace: "default", object, WriteOptions()).object
  }

  /// The outcome of each write, all started at once.
  func atOnce(_ store: EmbeddedResourceStore, _ objects: [JSONValue]) async -> [Result<JSONValue, any Error>] {
    await withTaskGroup(of: (Int, Result<JSONValue, any Error>).self) { group in
      for (index, object) in objects.enumerated() {
        group.addTask {
          do { return (index, .success(try await make(store, object))) } catch { return (index, .failure(error)) }
        }
      }
      var results: [Int: Result<JSONValue, any Error>] = [:]
      for await (index, result) in group { results[index] = result }
      return objects.indices.compactMap { results[$0] }
    }
  }

  @Test("writes that wait at the same time share commits, and each has its own outcome and version")
  func sharing() async throws {
    let store = try open()
    _ = try await make(store, TestKinds.widget("taken"))
    let commits = await store.commits
    var objects = (0..<300).map { TestKinds.widget("w\($0)") }
    for index in stride(from: 0, to: 300, by: 3) { objects[index] = TestKinds.widget("taken") }
    let results = await atOnce(store, objects)
    #expect(await store.commits - commits < 200, "200 writes were stored")
    var versions: Set<String> = []
    for (index, result) in results.enumerated() {
      switch result {
      case .success(let object):
        #expect(index % 3 != 0)
        versions.insert(object.metadata.resourceVersion)
      case .failure(let error):
        #expect(index % 3 == 0 && (error as? APIStatus)?.reason == "AlreadyExists")
      }
    }
    #expect(versions.count == 200)
    #expect(try await store.list(TestKinds.widgets, ListOptions()).items.count == 201)
  }

  @Test("watchers hear of shared commits in the order of the versions, with none left out")
  func order() async throws {
    let store = try open()
    let start = await store.currentVersion
    let stream = try await store.watch(TestKinds.widgets, ListOptions(), since: start)
    _ = await atOnce(store, (0..<200).map { TestKinds.widget("w\($0)") })
    var versions: [UInt64] = []
    for await event in stream where event.change == .added {
      versions.append(event.resourceVersion)
      if versions.count == 200 { break }
    }
    #expect(versions == Array(start + 1...start + 200))
  }

  @Test("a write that finds no room does not take those with it that share its commit")
  func fullAmongOthers() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.databaseBytes = 1 << 20
    let store = try open(retention)
    let big = TestKinds.widget("big", ["extra": ["text": .string(String(repeating: "x", count: 2 << 20))]])
    var objects = (0..<20).map { TestKinds.widget("w\($0)") }
    objects.insert(big, at: 10)
    let results = await atOnce(store, objects)
    for (index, result) in results.enumerated() {
      if index == 10 {
        #expect { try result.get() } throws: { ($0 as? APIStatus)?.code == 507 }
      } else {
        #expect(throws: Never.self) { try result.get() }
      }
    }
    #expect(try await store.list(TestKinds.widgets, ListOptions()).items.count == 20)
  }

  @Test("the log is kept below its size in bytes, and the file gives back what it does not need")
  func size() async throws {
    var retention = EmbeddedResourceStore.Retention()
    retention.changeBytes = 256 << 10
    let store = try open(retention)
    let start = await store.currentVersion
    let text = String(repeating: "x", count: 8_000)
    for index in 0..<400 {
      _ = try await make(store, TestKinds.widget("w\(index)", ["extra": ["text": .string(text)]]))
    }
    await #expect { try await store.watch(TestKinds.widgets, ListOptions(), since: start) } throws: {
      ($0 as? APIStatus)?.code == 410
    }
    let current = await store.currentVersion
    _ = try await store.watch(TestKinds.widgets, ListOptions(), since: current - 8)
    let path = "\(directory.path)/resources.db"
    func bytes() throws -> Int { try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) }
    try await store.maintain()
    let full = try bytes()
    for index in 0..<400 {
      _ = try await store.delete(
        TestKinds.widgets, ObjectKey(namespace: "default", name: "w\(index)"), DeleteOptions())
    }
    try await store.maintain()
    #expect(try bytes() < full / 2, "of \(full)")
  }
}
