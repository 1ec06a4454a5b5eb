import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import SQLite
import Testing

@Suite("Secrets on the disk")
struct SecretEncryptionTests {
  let directory = ScratchDirectory()
  static let secrets = BuiltInKinds.secrets.name
  static let password = "correct-horse-battery"

  var keyFile: String { directory.path + "/keys/secrets.key" }
  var database: String { directory.path + "/store/resources.db" }

  init() throws {
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
  }

  /// Opens the store, once whoever had it open has let go of it.
  func open() async throws -> EmbeddedResourceStore {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      do {
        return try EmbeddedResourceStore.open(
          directory: directory.path + "/store", definitions: TestKinds.definitions, secretKeyFile: keyFile)
      } catch {
        guard "\(error)".contains("another gateway"), ContinuousClock.now < deadline else { throw error }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

  @discardableResult
  func make(_ name: String, in store: EmbeddedResourceStore) async throws -> JSONValue {
    var body: JSONValue = ["stringData": ["password": .string(Self.password)]]
    body.metadata.name = name
    return try await store.create(
      Self.secrets, namespace: "default", body, WriteOptions(fieldManager: "manager-of-secrets")
    ).object
  }

  /// Which of the texts stand anywhere in the store's files.
  func found(_ texts: [String]) throws -> [String] {
    let folder = directory.path + "/store"
    var content: [UInt8] = []
    for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file != "lock" {
      content += Array(try Data(contentsOf: URL(filePath: folder + "/" + file)))
    }
    let data = Data(content)
    return texts.filter { data.range(of: Data($0.utf8)) != nil }
  }

  func failure() async -> String {
    do {
      _ = try await open()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("neither a value, nor its base64, nor who owns which field stands in a file")
  func nothingInClear() async throws {
    let store = try await open()
    try await make("broker", in: store)
    _ = try await store.patch(
      Self.secrets, key("broker"),
      .merge(["stringData": ["other": "second-value"], "metadata": ["labels": ["secret-label": "x"]]]),
      subresource: nil, WriteOptions(fieldManager: "manager-of-secrets"))
    _ = try await store.create(
      TestKinds.widgets, namespace: "default", TestKinds.widget("clear-widget", ["extra": ["note": "clear-note"]]),
      WriteOptions())
    let encoded = Base64.text(of: Self.password.utf8)
    #expect(try found([Self.password, encoded, "second-value", "manager-of-secrets", "secret-label"]) == [])
    // What is no Secret is there, as it is: the search finds what it should.
    #expect(try found(["clear-note"]) == ["clear-note"])
    _ = try await store.delete(Self.secrets, key("broker"), DeleteOptions())
    #expect(try found([Self.password, encoded, "second-value", "manager-of-secrets"]) == [])
  }

  @Test("Secrets and their history are read again after a restart")
  func restart() async throws {
    var store: EmbeddedResourceStore? = try await open()
    let before = await store!.currentVersion
    let made = try await make("broker", in: store!)
    store = nil
    let again = try await open()
    #expect(try await again.get(Self.secrets, key("broker")) == made)
    #expect(try await again.list(Self.secrets, ListOptions()).items == [made])
    var changes = try await again.watch(Self.secrets, ListOptions(), since: before).makeAsyncIterator()
    #expect(await changes.next()?.object == made)
  }

  @Test("the key file is made for its owner alone")
  func keyFileMode() async throws {
    _ = try await open()
    let attributes = try FileManager.default.attributesOfItem(atPath: keyFile)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let lines = try String(contentsOfFile: keyFile, encoding: .utf8).split(separator: "\n")
    #expect(lines.last.flatMap { Base64.bytes(of: $0) }?.count == 32)
  }

  @Test("a key file that others may read or change is refused", arguments: [0o604, 0o620, 0o666, 0o644])
  func openKeyFile(mode: Int) async throws {
    _ = try await open()
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: keyFile)
    let error = await failure()
    #expect(error.contains(keyFile) && error.contains("chmod 600"), "\(error)")
  }

  @Test("a group may read the key file, as Kubernetes mounts it")
  func groupReadable() async throws {
    _ = try await open()
    try FileManager.default.setAttributes([.posixPermissions: 0o440], ofItemAtPath: keyFile)
    #expect(await failure().isEmpty)
  }

  @Test("with Secrets stored, a missing key file ends the start and nothing is lost")
  func missingKey() async throws {
    var store: EmbeddedResourceStore? = try await open()
    let made = try await make("broker", in: store!)
    store = nil
    let kept = try Data(contentsOf: URL(filePath: keyFile))
    try FileManager.default.removeItem(atPath: keyFile)
    let error = await failure()
    #expect(error.contains(keyFile) && error.contains("missing"), "\(error)")
    #expect(!FileManager.default.fileExists(atPath: keyFile), "no new key is made")
    try write(kept)
    #expect(try await open().get(Self.secrets, key("broker")) == made)
  }

  @Test("another key ends the start, names the Secret and the file, and nothing is lost")
  func wrongKey() async throws {
    var store: EmbeddedResourceStore? = try await open()
    let made = try await make("broker", in: store!)
    store = nil
    let kept = try Data(contentsOf: URL(filePath: keyFile))
    try write(Data(Base64.text(of: [UInt8](repeating: 7, count: 32)).utf8))
    let error = await failure()
    #expect(error.contains(keyFile) && error.contains("default/broker"), "\(error)")
    try write(kept)
    #expect(try await open().get(Self.secrets, key("broker")) == made)
  }

  @Test("a key file without a key, or with half a one, is refused", arguments: ["", "# nothing\n", "c2hvcnQ=\n"])
  func badKey(text: String) async throws {
    try FileManager.default.createDirectory(atPath: directory.path + "/keys", withIntermediateDirectories: true)
    try write(Data(text.utf8))
    #expect(await failure().contains(keyFile))
  }

  @Test("a newer key in front encrypts everything anew; then the older one can go")
  func rotation() async throws {
    var store: EmbeddedResourceStore? = try await open()
    let made = try await make("broker", in: store!)
    let version = await store!.currentVersion
    store = nil
    let old = try String(contentsOfFile: keyFile, encoding: .utf8)
    let new = Base64.text(of: (0..<32).map { UInt8($0) })
    try write(Data("\(new)\n\(old)".utf8))
    store = try await open()
    #expect(try await store!.get(Self.secrets, key("broker")) == made)
    store = nil
    try write(Data("\(new)\n".utf8))
    let rotated = try await open()
    #expect(try await rotated.get(Self.secrets, key("broker")) == made)
    #expect(await rotated.currentVersion == version, "watchers see no change")
    var changes = try await rotated.watch(Self.secrets, ListOptions(), since: version - 1).makeAsyncIterator()
    #expect(await changes.next()?.object == made)
  }

  @Test("a body that was moved to another Secret, or altered, is not given out")
  func tampering() async throws {
    var store: EmbeddedResourceStore? = try await open()
    try await make("one", in: store!)
    try await make("two", in: store!)
    store = nil
    do {
      let connection = try Connection(path: database)
      try connection.execute(
        "UPDATE objects SET body = (SELECT body FROM objects WHERE name = 'one' AND resource = 'secrets') WHERE name = 'two' AND resource = 'secrets'"
      )
    }
    let moved = try await open()
    await #expect(throws: APIStatus.self) { try await moved.get(Self.secrets, key("two")) }
    #expect(try await moved.get(Self.secrets, key("one")).metadata.name == "one")
  }

  @Test("a flipped bit is found at the start")
  func flippedBit() async throws {
    var store: EmbeddedResourceStore? = try await open()
    try await make("one", in: store!)
    store = nil
    do {
      let connection = try Connection(path: database)
      try connection.execute(
        "UPDATE objects SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB) WHERE resource = 'secrets'")
    }
    #expect(await failure().contains("default/one"))
  }

  private func write(_ data: Data) throws {
    try data.write(to: URL(filePath: keyFile))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
  }
}
