import Documents
import Foundation
import KubernetesClient
import ResourceConformance
import ResourceStore
import Resources
import Synchronization
import TestSupport
import Testing

/// What is known of a cluster while it is there, while it is away, and when it comes back.
@Suite struct FollowingTests {
  private let widgets = TestKinds.widgets
  private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

  private func make(_ cluster: TestCluster, _ name: String, _ spec: JSONValue = ["size": 1]) async throws {
    _ = try await cluster.store.create(
      widgets, namespace: "default", TestKinds.widget(name, spec), WriteOptions())
  }

  private func change(_ cluster: TestCluster, _ name: String, _ spec: JSONValue) async throws {
    _ = try await cluster.store.patch(
      widgets, key(name), .merge(["spec": spec]), subresource: nil, WriteOptions())
  }

  /// What a backend's watch from nowhere shows, kept current.
  private final class Shown: Sendable {
    private final class Log: Sendable {
      struct State {
        var objects: [ObjectKey: JSONValue] = [:]
        var isSynced = false
        var deletions: [String] = []
      }
      let state = Mutex(State())

      func take(_ event: WatchEvent) {
        state.withLock { state in
          switch event.change {
          case .added, .modified: state.objects[event.object.objectKey] = event.object
          case .deleted:
            state.objects.removeValue(forKey: event.object.objectKey)
            state.deletions.append(event.object.metadata.name)
          case .bookmark: state.isSynced = true
          case .error: break
          }
        }
      }
    }
    private let log = Log()
    private let reader: Task<Void, Never>

    init(_ backend: any ResourceBackend, _ resource: ResourceName) async throws {
      let events = try await backend.watch(resource, ListOptions(), since: nil)
      reader = Task { [log] in
        for await event in events { log.take(event) }
      }
    }

    deinit { reader.cancel() }

    var isSynced: Bool { log.state.withLock { $0.isSynced } }
    var names: [String] { log.state.withLock { $0.objects.keys.map(\.name).sorted() } }
    var deletions: [String] { log.state.withLock { $0.deletions } }
    func spec(_ name: String) -> JSONValue? {
      log.state.withLock { $0.objects[ObjectKey(namespace: "default", name: name)]?["spec"] }
    }
  }

  @Test("A gateway starts without an API server from what it knew, and hears what it missed", .timeLimit(.minutes(2)))
  func offlineStart() async throws {
    try await TestCluster.with { cluster in
      for name in ["a", "b"] { try await make(cluster, name) }
      try await cluster.withBackend { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("both are known") { shown.names == ["a", "b"] }
      }
      await cluster.stop()
      cluster.log.clear()
      try await cluster.withBackend { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("what was known is shown") { shown.isSynced && shown.names == ["a", "b"] }
        #expect(try await backend.get(widgets, key("a")).metadata.name == "a", "reads are answered from the cache")
        #expect(try await backend.list(widgets, ListOptions(limit: 1)).items.count == 2, "no server, no pages")
        for rest in [ListOptions(limit: 1, continueToken: "server's"), ListOptions(exactVersion: 1)] {
          await #expect(throws: APIStatus.self, "all is not the rest") { try await backend.list(widgets, rest) }
        }
        await #expect(throws: APIStatus.self) { try await make(backend, "new") }
        // Meanwhile, in the cluster.
        _ = try await cluster.store.delete(widgets, key("a"), DeleteOptions())
        try await change(cluster, "b", ["size": 7])
        try await make(cluster, "c")
        try await cluster.start()
        try await eventually("everything is caught up") {
          shown.names == ["b", "c"] && shown.spec("b")?["size"] == 7
        }
        #expect(shown.deletions == ["a"])
      }
      let lists = cluster.log.all.filter { $0.verb == "list" || $0.query.contains("sendInitialEvents") }
      #expect(lists.isEmpty, "the watch goes on where it stopped: \(lists)")
    }
  }

  private func make(_ backend: any ResourceBackend, _ name: String) async throws {
    _ = try await backend.create(widgets, namespace: "default", TestKinds.widget(name), WriteOptions())
  }

  @Test("Where nothing was ever known, nothing is shown before the server was heard", .timeLimit(.minutes(2)))
  func coldStart() async throws {
    try await TestCluster.with { cluster in
      try await make(cluster, "a")
      await cluster.stop()
      try await cluster.withBackend { backend in
        let watching = Task { try await Shown(backend, widgets) }
        try await eventually("the server was asked") { !backend.isReachable }
        try await cluster.start()
        let shown = try await watching.value
        try await eventually("a is shown") { shown.names == ["a"] }
        #expect(shown.deletions.isEmpty)
      }
    }
  }

  @Test("A version that the server has forgotten is followed by a list, and what went is told", .timeLimit(.minutes(2)))
  func compacted() async throws {
    try await TestCluster.with { cluster in
      for name in ["a", "b"] { try await make(cluster, name) }
      try await cluster.withBackend { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("both are known") { shown.names == ["a", "b"] }
        await cluster.stop()
        _ = try await cluster.store.delete(widgets, key("a"), DeleteOptions())
        try await make(cluster, "c")
        try await cluster.compact()
        cluster.log.clear()
        try await cluster.start()
        try await eventually("the list is taken over") { shown.names == ["b", "c"] }
        #expect(shown.deletions == ["a"])
        #expect(cluster.log.all.contains { $0.query.contains("sendInitialEvents=true") })
      }
    }
  }

  @Test("A server that knows no lists as watches is asked page by page", .timeLimit(.minutes(2)))
  func pages() async throws {
    try await TestCluster.with { cluster in
      for index in 0..<23 { try await make(cluster, "w\(index)") }
      var tuning = TestCluster.tuning
      tuning.usesWatchList = false
      tuning.pageSize = 10
      try await cluster.withBackend(tuning: tuning) { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("all are known") { shown.names.count == 23 }
        let lists = cluster.log.all.filter { $0.verb == "list" }
        #expect(lists.count == 3 && lists.dropFirst().allSatisfy { $0.query.contains("continue=") }, "\(lists)")
        try await make(cluster, "last")
        try await eventually("the watch goes on") { shown.names.count == 24 }
      }
    }
  }

  @Test("An object that moves from one watch to the other is never gone", .timeLimit(.minutes(2)))
  func twoWatches() async throws {
    try await TestCluster.with { cluster in
      let selectors = try ["spec.colour=red", "spec.colour=green"].map { try FieldSelector(parsing: $0) }
      try await make(cluster, "mover", ["colour": "red", "size": 1])
      try await make(cluster, "stays", ["colour": "green", "size": 1])
      try await cluster.withBackend([.init(widgets, selectors: selectors)]) { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("both are known") { shown.names == ["mover", "stays"] }
        for size in 2...9 {
          try await change(
            cluster, "mover",
            ["colour": .string(size.isMultiple(of: 2) ? "green" : "red"), "size": .integer(Int64(size))])
        }
        try await eventually("the last state is known") { shown.spec("mover")?["size"] == 9 }
        #expect(shown.deletions.isEmpty)
        _ = try await cluster.store.delete(widgets, key("mover"), DeleteOptions())
        try await eventually("a real deletion is told") { shown.names == ["stays"] }
        #expect(shown.deletions == ["mover"])
      }
    }
  }

  @Test("Secrets are read by name where something refers to them, and lie sealed on the disk", .timeLimit(.minutes(2)))
  func secrets() async throws {
    try await TestCluster.with { cluster in
      let secrets = BuiltInKinds.secrets.name
      func secret(_ name: String, _ text: String) -> JSONValue {
        ["metadata": ["name": .string(name)], "stringData": ["password": .string(text)]]
      }
      for name in ["wanted", "other"] {
        _ = try await cluster.store.create(
          secrets, namespace: "default", secret(name, "hunter2-of-\(name)"), WriteOptions())
      }
      try await make(cluster, "a", ["extra": ["credentialsSecretRef": ["name": "wanted"]]])
      var tuning = TestCluster.tuning
      tuning.secretPeriod = .milliseconds(200)
      let directory = cluster.folder("secrets-cache")
      try await cluster.withBackend(secretReferrers: [widgets], tuning: tuning, in: directory) { backend in
        let shown = try await Shown(backend, secrets)
        try await eventually("the Secret that is referred to is known") { shown.names == ["wanted"] }
        let patch: JSONValue = ["stringData": ["password": "changed-hunter3"]]
        _ = try await cluster.store.patch(
          secrets, key("wanted"), .merge(patch), subresource: nil, WriteOptions())
        let changed = Base64.text(of: Array("changed-hunter3".utf8))
        try await eventually("a change is seen") {
          try await backend.get(secrets, key("wanted"))[path: "data", "password"]?.string == changed
        }
        try await change(cluster, "a", ["extra": ["credentialsSecretRef": ["name": "other"]]])
        try await eventually("what nothing refers to goes") { shown.names == ["other"] }
      }
      let asked = Set(cluster.log.all.filter { $0.resource == "secrets" }.map(\.verb))
      #expect(asked == ["get"])
      await cluster.stop()
      try await cluster.withBackend(secretReferrers: [widgets], tuning: tuning, in: directory) { backend in
        let shown = try await Shown(backend, secrets)
        try await eventually("it is known without a server") { shown.names == ["other"] }
      }
      for file in try FileManager.default.contentsOfDirectory(atPath: directory) {
        let bytes = try Data(contentsOf: URL(filePath: directory + "/" + file))
        #expect(bytes.range(of: Data("hunter".utf8)) == nil, "\(file)")
        let encoded = Base64.text(of: Array("hunter2-of-other".utf8))
        #expect(bytes.range(of: Data(encoded.utf8)) == nil, "\(file)")
      }
    }
  }

  @Test("A cache of another cluster is not taken for this one's", .timeLimit(.minutes(2)))
  func otherCluster() async throws {
    let folder = try ScratchFolder()
    try await TestCluster.with { first in
      try await make(first, "first")
      try await first.withBackend(in: folder.path) { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("it is known") { shown.names == ["first"] }
      }
    }
    try await TestCluster.with { second in
      try await make(second, "second")
      try await second.withBackend(in: folder.path) { backend in
        let shown = try await Shown(backend, widgets)
        try await eventually("only its own objects are known") { shown.isSynced && shown.names == ["second"] }
      }
    }
  }

  @Test("A token that was replaced is read anew, and one that is wrong is told", .timeLimit(.minutes(2)))
  func token() async throws {
    try await TestCluster.with { cluster in
      let client = try cluster.client()
      let backend = try KubernetesResourceBackend(
        client: client, definitions: TestKinds.definitions, logger: TestCluster.quiet)
      #expect(try await backend.list(widgets, ListOptions()).items.isEmpty)
      try cluster.folder.write("wrong-token-0123456789", to: "token")
      let other = try KubernetesResourceBackend(
        client: try cluster.client(), definitions: TestKinds.definitions, logger: TestCluster.quiet)
      await #expect {
        try await other.list(widgets, ListOptions())
      } throws: {
        ($0 as? APIStatus)?.code == 401
      }
      try cluster.folder.write("second-token-0123456789", to: "token")
      #expect(try await other.list(widgets, ListOptions()).items.isEmpty, "the answer 401 makes it read the file again")
      await client.close()
    }
  }

  @Test("What the cluster's kind does not know is left out of a status, and told", .timeLimit(.minutes(2)))
  func trimming() async throws {
    try await TestCluster.with { cluster in
      try await make(cluster, "a")
      let backend = try KubernetesResourceBackend(
        client: try cluster.client(), definitions: TestKinds.definitions, logger: TestCluster.quiet)
      var status = TestKinds.widget("a")
      status["spec"] = JSONValue?.none
      status["status"] = ["phase": "Up", "news": ["of": "tomorrow"]]
      var options = WriteOptions(fieldManager: "gateway")
      // The server would refuse the field, as a real one does with any apply.
      options.fieldValidation = .strict
      for _ in 0..<2 {
        let result = try await backend.patch(
          widgets, key("a"), .apply(status, force: true), subresource: .status, options)
        #expect(result.object["status"] == ["phase": "Up"])
        #expect(result.warnings == ["unknown field \"status.news\""])
      }
      #expect(cluster.log.all.count { $0.resource.hasPrefix("/openapi/v3") } == 1, "the schema is read once")
    }
  }
}
