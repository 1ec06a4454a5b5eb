import Documents
import Resources
import Testing

extension BackendConformance {
  static let listing: [ConformanceRule] = [
    ConformanceRule("A list is sorted by namespace and name, and every item says its kind") { s in
      for name in ["c", "a", "b-1", "b"] { _ = try await s.bring(name, [:]) }
      let list = try await s.backend.list(s.resource, ListOptions(namespace: s.namespace))
      #expect(list.items.map(\.metadata.name) == ["a", "b", "b-1", "c"])
      let definition = try #require(s.backend.definitions.first { $0.name == s.resource })
      #expect(list.items.allSatisfy { $0["kind"]?.string == definition.kind })
      #expect(list.items.allSatisfy { $0["apiVersion"]?.string == definition.apiVersion })
      #expect(list.items.allSatisfy { (UInt64($0.metadata.resourceVersion) ?? .max) <= list.resourceVersion })
      #expect(list.continueToken == nil && list.remainingItemCount == nil)
      #expect(try await s.names(ListOptions()) == ["a", "b", "b-1", "c"])
      #expect(try await s.names(ListOptions(namespace: "no-such-namespace")) == [])
    },
    ConformanceRule("A list's version moves with every write") { s in
      _ = try await s.bring("a", [:])
      let before = try await s.version()
      let object = try await s.merge("a", s.change(3))
      #expect(try await s.version() > before)
      #expect(try await s.version() >= UInt64(object.metadata.resourceVersion) ?? .max)
    },
    ConformanceRule("Label selectors say in, notin, present and absent") { s in
      _ = try await s.bring("none", [:])
      for (name, line) in [("a", "1"), ("b", "2"), ("c", "3")] { _ = try await s.bring(name, ["line": line]) }
      let expected: [(String, [String])] = [
        ("line=1", ["a"]), ("line==1", ["a"]), ("line!=1", ["b", "c", "none"]), ("line", ["a", "b", "c"]),
        ("!line", ["none"]), ("line in (1,3)", ["a", "c"]), ("line notin (1,3)", ["b", "none"]),
        ("line,line!=2", ["a", "c"]), ("line=1,line=2", []), ("", ["a", "b", "c", "none"]),
      ]
      for (text, names) in expected {
        let options = ListOptions(namespace: s.namespace, labelSelector: try LabelSelector(parsing: text))
        #expect(try await s.names(options) == names, "\(text)")
      }
    },
    ConformanceRule("Field selectors reach the name and the namespace") { s in
      for name in ["a", "b", "c"] { _ = try await s.bring(name, [:]) }
      let expected: [(String, [String])] = [
        ("metadata.name=b", ["b"]), ("metadata.name!=b", ["a", "c"]),
        ("metadata.namespace=\(s.namespace)", ["a", "b", "c"]),
        ("metadata.namespace=x", []), ("metadata.name=a,metadata.name!=a", []),
      ]
      for (text, names) in expected {
        let options = ListOptions(namespace: s.namespace, fieldSelector: try FieldSelector(parsing: text))
        #expect(try await s.names(options) == names, "\(text)")
      }
    },
    ConformanceRule("Field selectors reach what the definition lists, and nothing else", needs: [.objects]) { s in
      for (name, colour) in [("a", "red"), ("b", "green")] {
        try await s.create(TestKinds.widget(name, ["colour": .string(colour)]))
      }
      var options = ListOptions(namespace: s.namespace, fieldSelector: try FieldSelector(parsing: "spec.colour=green"))
      #expect(try await s.names(options) == ["b"])
      options.fieldSelector = try FieldSelector(parsing: "spec.size=1")
      let status = await s.refusal(of: "spec.size") { _ = try await s.names(options) }
      #expect(status.code == 400 && status.message == "field label not supported: spec.size")
    },
    ConformanceRule("A limited list goes on where it stopped, and says how much is left", needs: [.answers]) { s in
      for index in 0..<7 { _ = try await s.bring("l\(index)", ["half": index < 3 ? "first" : "second"]) }
      var page = ListOptions(namespace: s.namespace, limit: 3)
      var names: [String] = []
      var left: [Int?] = []
      repeat {
        let list = try await s.backend.list(s.resource, page)
        names += list.items.map(\.metadata.name)
        left.append(list.remainingItemCount)
        page.continueToken = list.continueToken
      } while page.continueToken != nil
      #expect(names == (0..<7).map { "l\($0)" } && left == [4, 1, nil])
      let selected = ListOptions(
        namespace: s.namespace, labelSelector: LabelSelector(matchLabels: ["half": "second"]), limit: 3)
      let first = try await s.backend.list(s.resource, selected)
      #expect(first.items.map(\.metadata.name) == ["l3", "l4", "l5"])
      #expect(first.remainingItemCount == nil, "no count where a selector is used")
      var rest = selected
      rest.continueToken = first.continueToken
      #expect(rest.continueToken != nil)
      let second = try await s.backend.list(s.resource, rest)
      #expect(second.items.map(\.metadata.name) == ["l6"] && second.continueToken == nil)
      let exact = try await s.backend.list(s.resource, ListOptions(namespace: s.namespace, limit: 7))
      #expect(exact.items.count == 7 && exact.continueToken == nil && exact.remainingItemCount == nil)
    },
    ConformanceRule("A page whose version is compacted is gone with 410, and garbage is no token", needs: [.compaction])
    {
      s in
      for index in 0..<4 { _ = try await s.bring("l\(index)", [:]) }
      var page = ListOptions(namespace: s.namespace, limit: 2)
      page.continueToken = try await s.backend.list(s.resource, page).continueToken
      _ = try await s.bring("later", [:])
      try await s.compact()
      let status = await s.refusal(of: "an old token") { _ = try await s.backend.list(s.resource, page) }
      #expect(status.code == 410 && status.reason == "Expired")
      page.continueToken = "no token at all"
      #expect(await s.refusal(of: "garbage") { _ = try await s.backend.list(s.resource, page) }.code == 400)
    },
  ]
}
