import Documents
import ResourceStore
import Resources
import Testing

@Suite("Secrets, ConfigMaps and Leases")
struct CoreKindsTests {
  let directory = ScratchDirectory()
  static let secrets = BuiltInKinds.secrets.name
  static let configMaps = BuiltInKinds.configMaps.name

  func open() throws -> EmbeddedResourceStore {
    try EmbeddedResourceStore.open(directory: directory.path, definitions: [])
  }

  static func named(_ name: String, _ members: JSONValue) -> JSONValue {
    var object = members
    object.metadata.name = name
    return object
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

  /// The fields that a create is refused for.
  func refusal(_ resource: ResourceName, _ members: JSONValue) async throws -> [String] {
    do {
      _ = try await open().create(resource, namespace: "default", Self.named("a", members), WriteOptions())
      return []
    } catch let error as APIStatus {
      #expect(error.code == 422)
      return error.causes.map(\.field)
    }
  }

  @Test("stringData is merged into data, over it, and never returned")
  func stringData() async throws {
    let store = try open()
    let body = Self.named("a", ["data": ["a": "b25l", "b": "dHdv"], "stringData": ["b": "three"]])
    let made = try await store.create(Self.secrets, namespace: "default", body, WriteOptions()).object
    #expect(made["data"] == ["a": "b25l", "b": "dGhyZWU="] && made["stringData"] == nil && made["type"] == "Opaque")
    let patched = try await store.patch(
      Self.secrets, key("a"), .merge(["stringData": ["c": "four"], "data": ["a": nil]]), subresource: nil,
      WriteOptions()
    ).object
    #expect(patched["data"] == ["b": "dGhyZWU=", "c": "Zm91cg=="] && patched["stringData"] == nil)
    #expect(try await store.get(Self.secrets, key("a")) == patched)
  }

  @Test("an applied stringData owns the keys of data, so that a key left out later goes")
  func appliedStringData() async throws {
    let store = try open()
    func apply(_ texts: JSONValue) async throws -> JSONValue {
      let configuration: JSONValue = ["apiVersion": "v1", "kind": "Secret", "stringData": texts]
      return try await store.patch(
        Self.secrets, key("a"), .apply(configuration, force: false), subresource: nil,
        WriteOptions(fieldManager: "tester")
      ).object
    }
    #expect(try await apply(["a": "one", "b": "two"])["data"] == ["a": "b25l", "b": "dHdv"])
    let second = try await apply(["a": "one"])
    #expect(second["data"] == ["a": "b25l"])
    #expect(!second.description.contains("f:stringData"))
  }

  @Test(
    "a Secret is refused for what does not fit",
    arguments: [
      (["data": ["a": "no base64!"]], ["data[a]"]),
      (["data": ["a b": "Zg=="]], ["data[a b]"]),
      (["data": ["..a": "Zg=="]], ["data[..a]"]),
      (["type": "kubernetes.io/basic-auth"], ["data[username]", "data[password]"]),
      (["type": "kubernetes.io/tls", "data": ["tls.crt": "Zg=="]], ["data[tls.key]"]),
      (["type": "kubernetes.io/dockerconfigjson", "data": [".dockerconfigjson": "Zg=="]], ["data[.dockerconfigjson]"]),
      (["stringData": ["a": 5]], ["stringData.a"]),
    ] as [(JSONValue, [String])])
  func refusedSecrets(members: JSONValue, fields: [String]) async throws {
    #expect(try await refusal(Self.secrets, members) == fields)
  }

  @Test("what is refused never repeats the value")
  func silence() async throws {
    do {
      let body = Self.named("a", ["data": ["a": "hunter2!"]])
      _ = try await open().create(Self.secrets, namespace: "default", body, WriteOptions())
      Issue.record("taken")
    } catch let error as APIStatus {
      #expect(!error.json.description.contains("hunter2"))
    }
  }

  @Test("more than 1 MiB is refused, 1 MiB is not")
  func size() async throws {
    let most = String(repeating: "x", count: 1 << 20)
    #expect(try await refusal(Self.configMaps, ["data": ["a": .string(most)]]) == [])
    #expect(try await refusal(Self.configMaps, ["data": ["a": .string(most + "x")]]) == ["data"])
    #expect(try await refusal(Self.secrets, ["stringData": ["a": .string(most + "x")]]) == ["data"])
  }

  @Test("a ConfigMap's keys are checked, and one key is in one of the maps")
  func configMapKeys() async throws {
    #expect(try await refusal(Self.configMaps, ["data": ["a/b": "x"]]) == ["data[a/b]"])
    #expect(
      try await refusal(Self.configMaps, ["data": ["a": "x"], "binaryData": ["a": "Zg=="]]) == ["binaryData[a]"])
    #expect(try await refusal(Self.configMaps, ["binaryData": ["a": "*"]]) == ["binaryData[a]"])
  }

  @Test("what is immutable stays, its labels may change", arguments: [Self.secrets, Self.configMaps])
  func immutable(resource: ResourceName) async throws {
    let store = try open()
    let body = Self.named("a", ["data": ["a": "b25l"], "immutable": true])
    _ = try await store.create(resource, namespace: "default", body, WriteOptions())
    func patch(_ changes: JSONValue) async throws -> [String] {
      do throws(APIStatus) {
        _ = try await store.patch(resource, key("a"), .merge(changes), subresource: nil, WriteOptions())
        return []
      } catch {
        return error.causes.map(\.field)
      }
    }
    #expect(try await patch(["data": ["a": "dHdv"]]) == ["data"])
    #expect(try await patch(["immutable": false]) == ["immutable"])
    #expect(try await patch(["metadata": ["labels": ["a": "b"]]]) == [])
  }

  @Test("a Secret's type never changes")
  func type() async throws {
    let store = try open()
    _ = try await store.create(Self.secrets, namespace: "default", Self.named("a", ["type": "x/y"]), WriteOptions())
    await #expect(throws: APIStatus.self) {
      try await store.patch(Self.secrets, key("a"), .merge(["type": "z"]), subresource: nil, WriteOptions())
    }
  }

  @Test(
    "a Lease's fields have their formats",
    arguments: [
      (["leaseDurationSeconds": 15, "renewTime": "2026-11-21T10:00:00.000001Z"], []),
      (["leaseDurationSeconds": 0], ["spec.leaseDurationSeconds"]), (["renewTime": "now"], ["spec.renewTime"]),
      (["leaseTransitions": -1], ["spec.leaseTransitions"]),
    ] as [(JSONValue, [String])])
  func leases(spec: JSONValue, fields: [String]) async throws {
    #expect(try await refusal(BuiltInKinds.leases.name, ["spec": spec]) == fields)
  }

  @Test("tables show what kubectl users know")
  func columns() async throws {
    func rows(_ definition: ResourceDefinition, _ object: JSONValue) -> [String] {
      let table = Table.rendered(
        [object], of: definition, include: .none, now: Timestamp(seconds: 0), listMetadata: [:])
      let names = (table["columnDefinitions"]?.array ?? []).compactMap { $0["name"]?.string }
      let cells = table["rows"]?.array?.first?["cells"]?.array ?? []
      return zip(names, cells).map { "\($0)=\($1.string ?? $1.description)" }
    }
    let metadata: JSONValue = ["name": "a", "creationTimestamp": "1970-01-01T00:00:00Z"]
    #expect(
      rows(BuiltInKinds.secrets, ["metadata": metadata, "type": "Opaque", "data": ["a": "", "b": ""]])
        == ["Name=a", "Type=Opaque", "Data=2", "Age=0s"])
    #expect(
      rows(BuiltInKinds.configMaps, ["metadata": metadata, "data": ["a": ""], "binaryData": ["b": ""]])
        == ["Name=a", "Data=2", "Age=0s"])
    #expect(rows(BuiltInKinds.configMaps, ["metadata": metadata]) == ["Name=a", "Data=0", "Age=0s"])
    #expect(
      rows(BuiltInKinds.leases, ["metadata": metadata, "spec": ["holderIdentity": "gw-1"]])
        == ["Name=a", "Holder=gw-1", "Age=0s"])
  }
}
