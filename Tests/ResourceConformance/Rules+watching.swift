import Documents
import Resources
import Testing

extension BackendConformance {
  private static func options(_ s: BackendUnderTest, labels: [String: String]) -> ListOptions {
    ListOptions(namespace: s.namespace, labelSelector: LabelSelector(matchLabels: labels))
  }

  static let watching: [ConformanceRule] = [
    ConformanceRule("A watch from nowhere tells what there is, marks its end, and goes on", needs: [.promptWatches]) {
      s in
      for name in ["b", "a"] { _ = try await s.bring(name, [:]) }
      let current = try await s.version()
      let watch = try await s.watch(since: nil)
      await watch.wait { watch.all.contains { $0.change == .bookmark } }
      let initial = watch.all
      #expect(initial.map(\.change) == [.added, .added, .bookmark])
      #expect(initial.prefix(2).map(\.object.metadata.name) == ["a", "b"])
      #expect((initial.last?.resourceVersion ?? 0) >= current)
      let bookmark = initial.last?.object
      #expect(bookmark?.object.map { Set($0.keys) } == ["kind", "apiVersion", "metadata"])
      #expect(bookmark?.metadata.resourceVersion == initial.last.map { String($0.resourceVersion) })
      let changed = try await s.merge("a", s.change(2))
      let events = await watch.changes(3)
      #expect(events.last?.change == .modified && events.last?.object.metadata.name == "a")
      #expect(events.last?.object["spec"] == changed["spec"])
    },
    ConformanceRule("A watch of nothing begins with its bookmark") { s in
      let watch = try await s.watch(since: nil)
      await watch.wait { !watch.all.isEmpty }
      #expect(watch.all.map(\.change) == [.bookmark])
    },
    ConformanceRule("A watch from a list's version tells what came after it, once, in order") { s in
      _ = try await s.bring("a", [:])
      let start = try await s.version()
      let early = try await s.watch(since: start)
      try await s.merge("a", s.change(2))
      _ = await early.changes(1)
      _ = try await s.bring("b", [:])
      _ = await early.changes(2)
      try await s.remove("a")
      let seen = await early.changes(3)
      #expect(seen.map(\.change) == [.modified, .added, .deleted])
      #expect(seen.map(\.object.metadata.name) == ["a", "b", "a"])
      let versions = seen.map(\.resourceVersion)
      #expect(versions == versions.sorted() && Set(versions).count == 3 && versions.allSatisfy { $0 > start })
      #expect(seen.allSatisfy { $0.object.metadata.resourceVersion == String($0.resourceVersion) })
    },
    ConformanceRule("A watch that is resumed later misses nothing", needs: [.objects]) { s in
      _ = try await s.bring("a", [:])
      let start = try await s.version()
      try await s.merge("a", s.change(2))
      _ = try await s.bring("b", [:])
      try await s.remove("a")
      let late = try await s.watch(since: start)
      let all = await late.changes(3)
      #expect(all.map(\.change) == [.modified, .added, .deleted])
      let second = try #require(all.dropFirst().first)
      let middle = try await s.watch(since: second.resourceVersion)
      #expect(await middle.changes(1).map(\.change) == [.deleted])
    },
    ConformanceRule("A deletion carries a version of its own and the last state", needs: [.objects]) { s in
      let object = try await s.bring("a", ["line": "1"])
      let watch = try await s.watch(options(s, labels: ["line": "1"]), since: try await s.version())
      try await s.remove("a")
      let event = try #require(await watch.changes(1).first)
      #expect(event.change == .deleted && event.object["spec"] == object["spec"])
      #expect(event.resourceVersion > UInt64(object.metadata.resourceVersion) ?? .max)
      #expect(event.resourceVersion == (try await s.version()))
    },
    ConformanceRule("An object that starts to match is ADDED, one that stops is DELETED as it was", needs: [.objects]) {
      s in
      let start = try await s.version()
      let selected = options(s, labels: ["w": "1"])
      let watch = try await s.watch(selected, since: start)
      _ = try await s.bring("w", ["w": "1"])
      _ = try await s.bring("other", [:])
      try await s.merge("w", s.change(2))
      try await s.merge("w", ["metadata": ["labels": ["w": "2"]]])
      try await s.merge("w", s.change(3))
      try await s.merge("w", ["metadata": ["labels": ["w": "1"]]])
      try await s.remove("w")
      let late = try await s.watch(selected, since: start)
      for (name, record) in [("live", watch), ("late", late)] {
        let seen = await record.changes(5)
        #expect(seen.map(\.change) == [.added, .modified, .deleted, .added, .deleted], "\(name)")
        #expect(
          seen.allSatisfy { $0.object.metadata.name == "w" && $0.object.metadata.labels == ["w": "1"] }, "\(name)")
        #expect(seen.allSatisfy { $0.object.metadata.resourceVersion == String($0.resourceVersion) }, "\(name)")
      }
    },
    ConformanceRule("Field selectors filter a watch, the listed ones by their changes too", needs: [.objects]) { s in
      let start = try await s.version()
      func selecting(_ text: String) throws -> ListOptions {
        ListOptions(namespace: s.namespace, fieldSelector: try FieldSelector(parsing: text))
      }
      let named = try await s.watch(try selecting("metadata.name=b"), since: start)
      let green = try await s.watch(try selecting("spec.colour=green"), since: start)
      for name in ["a", "b"] { _ = try await s.bring(name, [:]) }
      try await s.merge("a", ["spec": ["colour": "green"]])
      try await s.merge("a", ["spec": ["colour": "red"]])
      try await s.remove("b")
      #expect(await named.changes(2).map(\.change) == [.added, .deleted])
      #expect(await green.changes(2).map(\.change) == [.added, .deleted])
      #expect(green.changes.last?.object[path: "spec", "colour"] == "green")
      #expect(
        await s.refusal(of: "spec.size") { _ = try await s.watch(try selecting("spec.size=1"), since: nil) }.code == 400
      )
    },
    ConformanceRule("A watch sees its own namespace alone", needs: [.objects, .namespaces]) { s in
      _ = try await s.backend.create(
        TestKinds.namespaces, namespace: "", ["metadata": ["name": "other"]], WriteOptions())
      let start = try await s.version()
      let here = try await s.watch(since: start)
      let everywhere = try await s.watch(ListOptions(), since: start)
      _ = try await s.backend.create(s.resource, namespace: "other", TestKinds.widget("far"), WriteOptions())
      _ = try await s.bring("near", [:])
      #expect(await here.changes(1).map(\.object.metadata.name) == ["near"])
      #expect(await everywhere.changes(2).map(\.object.metadata.name) == ["far", "near"])
    },
    ConformanceRule("A version that is compacted is refused with 410 Expired", needs: [.compaction]) { s in
      let start = try await s.version()
      for index in 0..<3 { _ = try await s.bring("a\(index)", [:]) }
      try await s.compact()
      let status = await s.refusal(of: "an old version") { _ = try await s.watch(since: start) }
      #expect(status.code == 410 && status.reason == "Expired")
      #expect(status.message.contains("too old"))
      let current = try await s.version()
      let watch = try await s.watch(since: current)
      try await s.merge("a0", s.change(5))
      #expect(await watch.changes(1).map(\.change) == [.modified])
    },
    ConformanceRule("A version from the future is refused, never waited on for ever") { s in
      _ = try await s.bring("a", [:])
      let future = try await s.version() + 1_000_000
      let status = await s.refusal(of: "the future") { _ = try await s.watch(since: future) }
      #expect([504, 410].contains(status.code))
      if status.code == 504 { #expect(status.causes.map(\.reason) == ["ResourceVersionTooLarge"]) }
    },
    ConformanceRule("A watcher that does not keep up is told so and cut off; the writers go on", needs: [.cutsOff]) {
      s in
      _ = try await s.bring("a", [:])
      let stream = try await s.backend.watch(s.resource, ListOptions(namespace: s.namespace), since: nil)
      for index in 0..<s.watcherCapacity + 10 { try await s.merge("a", s.change(index)) }
      var last: WatchEvent?
      for await event in stream { last = event }
      #expect(last?.change == .error)
      #expect(last?.object["kind"] == "Status" && last?.object["code"] == 410 && last?.object["reason"] == "Expired")
      try await s.merge("a", s.change(1))
    },
  ]
}
