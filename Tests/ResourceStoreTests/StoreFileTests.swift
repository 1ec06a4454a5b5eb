import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import SQLite
import Testing

@Suite("The embedded store's file")
struct StoreFileTests {
  let directory = ScratchDirectory()
  var path: String { "\(directory.path)/resources.db" }

  func open(_ directory: String? = nil) throws -> EmbeddedResourceStore {
    try EmbeddedResourceStore.open(
      directory: directory ?? self.directory.path, definitions: TestKinds.definitions, crds: TestKinds.crds)
  }

  func fill(_ store: EmbeddedResourceStore, _ count: Int = 200) async throws {
    for index in 0..<count {
      _ = try await store.create(
        TestKinds.widgets, namespace: "default", TestKinds.widget("w\(10_000 + index)"), WriteOptions())
    }
  }

  func names(_ store: EmbeddedResourceStore) async throws -> [String] {
    try await store.list(TestKinds.widgets, ListOptions()).items.map(\.metadata.name)
  }

  func isSetAside() throws -> Bool {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).contains {
      $0.hasPrefix("resources.db.corrupt-")
    }
  }

  enum Damage: CaseIterable {
    case header, tablePage, indexPage, truncated, empty

    /// First byte of a b-tree page (sqlite.org/fileformat2.html, section 1.6).
    private static func pages(_ kind: UInt8, in bytes: Data) -> [Int] {
      stride(from: 4_096, to: bytes.count, by: 4_096).filter { bytes[$0] == kind }
    }

    func inflict(on bytes: inout Data) throws {
      func flip(_ range: Range<Int>) { for index in range { bytes[index] ^= 0xFF } }
      switch self {
      case .header: flip(16..<40)
      case .tablePage:
        // Where the cells are, as the page itself says it.
        let page = try #require(Self.pages(0x0D, in: bytes).last)
        flip(page + 3..<page + 20)
      case .indexPage:
        let page = try #require(Self.pages(0x0A, in: bytes).last)
        flip(page + 3..<page + 20)
      case .truncated: bytes.removeSubrange(bytes.count / 2..<bytes.count)
      case .empty: bytes.removeAll()
      }
    }
  }

  @Test("damage is found at the start: the file goes aside, and versions go on above", arguments: Damage.allCases)
  func damage(_ damage: Damage) async throws {
    var store: EmbeddedResourceStore? = try open()
    try await fill(store!)
    let before = await store!.currentVersion
    store = nil
    var bytes = try Data(contentsOf: URL(filePath: path))
    try damage.inflict(on: &bytes)
    try bytes.write(to: URL(filePath: path))
    let again = try open()
    #expect(try await names(again) == [])
    if damage != .empty {
      #expect(try isSetAside())
      #expect(await again.currentVersion > before)
    }
    _ = try await again.create(TestKinds.widgets, namespace: "default", TestKinds.widget("new"), WriteOptions())
    #expect(try await names(again) == ["new"])
  }

  @Test("a torn write-ahead log loses what was behind the tear and nothing else")
  func tornLog() async throws {
    let store = try open()
    try await fill(store, 60)
    let all = try await names(store)
    let log = try Data(contentsOf: URL(filePath: path + "-wal"))
    let file = try Data(contentsOf: URL(filePath: path))
    var seen: Set<Int> = []
    for step in 1...8 {
      for isFlipped in [false, true] {
        var torn = log
        let place = log.count * step / 9
        if isFlipped { torn[place] ^= 0x10 } else { torn.removeSubrange(place..<log.count) }
        let copy = ScratchDirectory()
        try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
        try file.write(to: URL(filePath: "\(copy.path)/resources.db"))
        try torn.write(to: URL(filePath: "\(copy.path)/resources.db-wal"))
        let opened = try open(copy.path)
        let left = try await names(opened)
        #expect(left == Array(all.prefix(left.count)))
        seen.insert(left.count)
        #expect(
          try !FileManager.default.contentsOfDirectory(atPath: copy.path).contains { $0.contains("corrupt") })
      }
    }
    #expect(seen.count > 4, "the tears were at different writes: \(seen.sorted())")
  }

  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/resource-store")

  static let deviceCRD: JSONValue = [
    "metadata": ["name": "devices.selvedge.dev"],
    "spec": [
      "group": "selvedge.dev", "scope": "Namespaced", "names": ["kind": "Device", "plural": "devices"],
      "versions": [
        [
          "name": "v1alpha1", "subresources": ["status": [:]],
          "schema": ["openAPIV3Schema": ["type": "object", "x-kubernetes-preserve-unknown-fields": true]],
        ]
      ],
    ],
  ]

  @Test("there is a file of every layout before this one")
  func everyLayout() throws {
    _ = try open()
    let layout = try Connection(path: path).userVersion
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path()).filter {
      $0.hasSuffix(".sql")
    }
    #expect(Set(files) == Set((1..<layout).map { "v\($0).sql" }))
  }

  @Test("a file of an older layout is migrated and served", arguments: [1])
  func migration(from layout: Int) async throws {
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    let text = try String(contentsOf: Self.fixtures.appending(path: "v\(layout).sql"), encoding: .utf8)
    do {
      let connection = try Connection(path: path)
      try connection.execute(text)
      #expect(try connection.userVersion == Int64(layout))
    }
    let devices = ResourceName(group: "selvedge.dev", plural: "devices")
    func open() throws -> EmbeddedResourceStore {
      try EmbeddedResourceStore.open(
        directory: directory.path, definitions: [try #require(ResourceDefinition(crd: Self.deviceCRD))])
    }
    var store: EmbeddedResourceStore? = try open()
    #expect(try !isSetAside())
    let version = await store!.currentVersion
    #expect(version >= 20, "the last that layout 1 had given out")
    let listed = try await store!.list(devices, ListOptions()).items
    #expect(listed.map(\.metadata.name) == ["boiler-1", "boiler-2"])
    #expect(listed.map(\.metadata.labels) == [["line": "a"], ["line": "b"]])
    #expect(listed[1].metadata.resourceVersion == "19")
    await #expect { try await store!.watch(devices, ListOptions(), since: 15) } throws: {
      ($0 as? APIStatus)?.code == 410
    }
    let stream = try await store!.watch(devices, ListOptions(), since: version)
    let patched = try await store!.patch(
      devices, listed[0].objectKey, .merge(["metadata": ["labels": ["line": "c"]]]), subresource: nil, WriteOptions()
    ).object
    for await event in stream {
      #expect(event.object == patched && event.change == .modified)
      break
    }
    store = nil
    #expect(try await open().get(devices, listed[0].objectKey) == patched)
    #expect(try Connection(path: path).number(ofPragma: "auto_vacuum") == 2)
  }

  @Test("a file of a newer layout is refused in one line and left as it is")
  func newer() throws {
    _ = try open()
    try Connection(path: path).setUserVersion(99)
    #expect { try open() } throws: { error in
      "\(error)".contains("layout 99") && !"\(error)".contains("\n")
    }
    #expect(try Connection(path: path).userVersion == 99)
    #expect(try !isSetAside())
  }

  @Test("a copy made while the store is written to has all of one moment, and sends old watchers to list again")
  func backup() async throws {
    let store = try open()
    try await fill(store, 50)
    let writer = Task {
      var count = 0
      while !Task.isCancelled {
        _ = try await store.create(
          TestKinds.widgets, namespace: "default", TestKinds.widget("x\(10_000 + count)"), WriteOptions())
        count += 1
      }
      return count
    }
    let restored = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: restored.path, withIntermediateDirectories: true)
    let from = await store.currentVersion
    try BackupCopy.make(of: directory.path, to: "\(restored.path)/resources.db")
    writer.cancel()
    _ = try await writer.value
    let all = try await store.list(TestKinds.widgets, ListOptions()).items
    let last = await store.currentVersion
    var copy: EmbeddedResourceStore? = try open(restored.path)
    let copied = try await copy!.list(TestKinds.widgets, ListOptions())
    #expect(copied.items.count >= 50)
    #expect(copied.items == Array(all.prefix(copied.items.count)))
    #expect(copied.resourceVersion > last)
    for version in [from, last, last + 1_000] {
      await #expect { try await copy!.watch(TestKinds.widgets, ListOptions(), since: version) } throws: {
        ($0 as? APIStatus)?.code == 410
      }
    }
    _ = try await copy!.watch(TestKinds.widgets, ListOptions(), since: copied.resourceVersion)
    let version = await copy!.currentVersion
    copy = nil
    #expect(try await open(restored.path).currentVersion == version, "it moves on once")
  }
}
