import Controllers
import DeviceKit
import Documents
import Resources
import Testing
import TwinStore

@Suite struct TwinBackendTests {
  let place: TwinPlace
  init() throws { place = try TwinPlace() }

  func get() async throws -> JSONValue { try await place.backend.get(TwinPlace.name, TwinPlace.object) }
  @discardableResult
  func merge(_ patch: JSONValue, _ options: WriteOptions = .init(fieldManager: "kubectl-patch")) async throws
    -> JSONValue
  {
    try await place.backend.patch(TwinPlace.name, TwinPlace.object, .merge(patch), subresource: nil, options).object
  }
  func refusal(_ patch: JSONValue, _ options: WriteOptions = .init()) async -> APIStatus? {
    do {
      try await merge(patch, options)
      return nil
    } catch {
      return error as? APIStatus
    }
  }
  func property(_ object: JSONValue, _ name: String) -> JSONValue? {
    object[path: "status", "properties"]?.array?.first { $0["name"]?.string == name }
  }

  @Test func `A twin has the shape of the contract`() async throws {
    place.store.connection(TwinPlace.key, isConnected: true)
    place.report("temperature", .number(21.5))
    try await merge(["spec": ["desired": ["setpoint": 40]]])
    let twin = try await get()
    #expect(twin["apiVersion"] == "twin.selvedge.dev/v1alpha1" && twin["kind"] == "Twin")
    #expect(twin[path: "metadata", "name"] == "boiler-1" && twin[path: "metadata", "labels", "line"] == "a")
    #expect(
      UInt64(twin[path: "metadata", "resourceVersion"]?.string ?? "") == place.store.snapshot(TwinPlace.key)?.version)
    #expect(twin[path: "spec", "desired"] == ["setpoint": 40])
    let temperature = try #require(property(twin, "temperature"))
    #expect(temperature["reported"] == 21.5 && temperature["quality"] == "Good" && temperature["unit"] == "degC")
    for time in ["sourceTime", "gatewayTime"] {
      #expect(Timestamp(temperature[time]?.string ?? "") != nil)
    }
    let setpoint = try #require(property(twin, "setpoint"))
    #expect(
      setpoint["desired"] == 40 && setpoint["state"] == "Pending" && setpoint["desiredBy"] == "local/kubectl-patch")
    #expect(setpoint["quality"] == "Bad" && setpoint["reported"] == nil)
    #expect(twin[path: "status", "counts"] == ["properties": 4, "desired": 1, "unconfirmed": 1, "bad": 3])
  }

  @Test func `The definition reads as a CRD and names what kubectl shows`() {
    let definition = TwinBackend.definition
    #expect(definition.name == TwinPlace.name && definition.isNamespaced && !definition.hasStatus)
    #expect(definition.verbs == ["get", "list", "patch", "update", "watch"])
    #expect(
      definition.columns.map(\.name) == [
        "Connected", "Properties", "Desired", "Unconfirmed", "Bad", "Writes", "Policy", "Version", "Age",
      ])
    #expect(definition.schema[path: "properties", "spec", "properties", "desired", "description"] != nil)
  }

  static let forbidden: [(desired: JSONValue, causes: [String])] = [
    (["setpoint": 60.5], ["spec.desired.setpoint: 60.5 is above the maximum 60 degC"]),
    (["setpoint": "warm"], [#"spec.desired.setpoint: "warm" is a string; setpoint takes a number"#]),
    (["temperature": 20], ["spec.desired.temperature: temperature is read-only"]),
    (
      ["ghost": 1, "setpoint": 10],
      [
        "spec.desired.ghost: the model has no property ghost",
        "spec.desired.setpoint: 10 is below the minimum 20 degC",
      ]
    ),
  ]

  @Test(arguments: forbidden)
  func `What the model forbids is 422 with the field and the bound, and nothing is changed`(
    desired: JSONValue, causes: [String]
  ) async throws {
    let status = try #require(await refusal(["spec": ["desired": desired.merging(["pump": true])]]))
    #expect(status.code == 422 && status.reason == "Invalid" && status.kind == "Twin")
    #expect(status.causes.map { "\($0.field): \($0.message)" } == causes)
    #expect(status.causes.allSatisfy { $0.reason == "FieldValueInvalid" })
    #expect(try await get()[path: "spec", "desired"] == [:])
    try await merge(["spec": ["desired": ["pump": true]]])
  }

  @Test func `Null takes a wish away, alone or all of them`() async throws {
    try await merge(["spec": ["desired": ["setpoint": 40, "pump": true, "config": ["a": 1, "b": 2]]]])
    try await merge(["spec": ["desired": ["setpoint": .null, "ghost": .null, "config": ["a": .null]]]])
    #expect(try await get()[path: "spec", "desired"] == ["pump": true, "config": ["b": 2]])
    try await merge(["spec": ["desired": .null]])
    #expect(try await get()[path: "spec", "desired"] == [:])
  }

  @Test func `A change made for an older wish is 409, also where the version is none of ours`() async throws {
    let old = try await get()[path: "metadata", "resourceVersion"] ?? .null
    place.report("temperature", .number(30))
    try await merge(["metadata": ["resourceVersion": old], "spec": ["desired": ["setpoint": 40]]])
    for stale in [old, "1", "99999999999999", "x"] {
      let status = await refusal(["metadata": ["resourceVersion": stale], "spec": ["desired": ["setpoint": 41]]])
      #expect(status?.code == 409 && status?.reason == "Conflict")
    }
    #expect(try await get()[path: "spec", "desired"] == ["setpoint": 40])
  }

  @Test func `An update replaces what is desired and leaves status alone`() async throws {
    try await merge(["spec": ["desired": ["setpoint": 40]]])
    var object = try await get()
    object["spec"] = ["desired": ["pump": true]]
    object["status"] = ["connected": true]
    let result = try await place.backend.update(TwinPlace.name, TwinPlace.object, object, subresource: nil, .init())
    #expect(result.object[path: "spec", "desired"] == ["pump": true])
    #expect(result.object[path: "status", "connected"] == false)
    await #expect(throws: APIStatus.conflict(TwinPlace.name, name: "boiler-1")) {
      try await place.backend.update(TwinPlace.name, TwinPlace.object, object, subresource: nil, .init())
    }
  }

  @Test func `A JSON Patch may test what it changes`() async throws {
    try await merge(["spec": ["desired": ["setpoint": 40]]])
    let operations: JSONValue = [
      ["op": "test", "path": "/spec/desired/setpoint", "value": 40],
      ["op": "replace", "path": "/spec/desired/setpoint", "value": 41],
    ]
    let result = try await place.backend.patch(
      TwinPlace.name, TwinPlace.object, .json(operations), subresource: nil, .init())
    #expect(result.object[path: "spec", "desired"] == ["setpoint": 41])
    await #expect(throws: APIStatus.self) {
      try await place.backend.patch(TwinPlace.name, TwinPlace.object, .json(operations), subresource: nil, .init())
    }
  }

  @Test func `Malformed bodies are 4xx and the next change works`() async throws {
    let bodies: [(JSONValue, Int)] = [
      ([1], 400), (["spec": 1], 422), (["spec": ["desired": [1]]], 422), (["metadata": ["name": "other"]], 400),
      (["metadata": ["uid": "other"]], 409),
    ]
    for (body, code) in bodies { #expect(await refusal(body)?.code == code) }
    let strict = WriteOptions(fieldValidation: .strict)
    #expect(await refusal(["spec": ["desird": ["setpoint": 40]]], strict)?.message.contains("spec.desird") == true)
    let warned = try await place.backend.patch(
      TwinPlace.name, TwinPlace.object, .merge(["spec": ["desird": [:]]]), subresource: nil, .init())
    #expect(warned.warnings == [#"unknown field "spec.desird""#])
    #expect(try await merge(["spec": ["desired": ["setpoint": 40]]])[path: "spec", "desired"] == ["setpoint": 40])
  }

  @Test func `A dry run answers as if and changes nothing`() async throws {
    let dry = WriteOptions(isDryRun: true)
    #expect(try await merge(["spec": ["desired": ["setpoint": 40]]], dry)[path: "spec", "desired"] == ["setpoint": 40])
    #expect(await refusal(["spec": ["desired": ["setpoint": 99]]], dry)?.code == 422)
    #expect(try await get()[path: "spec", "desired"] == [:])
  }

  @Test func `What is not there and what is not offered is said`() async throws {
    let missing = ObjectKey(namespace: "default", name: "ghost")
    await #expect(throws: APIStatus.notFound(TwinPlace.name, name: "ghost")) {
      try await place.backend.get(TwinPlace.name, missing)
    }
    await #expect(throws: APIStatus.notFound(TwinPlace.name, name: "ghost")) {
      try await place.backend.patch(TwinPlace.name, missing, .merge([:]), subresource: nil, .init())
    }
    let refused = await #expect(throws: APIStatus.self) {
      try await place.backend.delete(TwinPlace.name, TwinPlace.object, .init())
    }
    #expect(refused?.code == 405)
    let applied = await #expect(throws: APIStatus.self) {
      try await place.backend.patch(
        TwinPlace.name, TwinPlace.object, .apply([:], force: true), subresource: nil, .init())
    }
    #expect(applied?.code == 415)
  }

  @Test func `Lists are sorted, selected and paged`() async throws {
    for index in 0..<5 { place.attach(DeviceKey(namespace: index < 3 ? "a" : "b", name: "d\(index)")) }
    func names(_ options: ListOptions) async throws -> [String] {
      try await place.backend.list(TwinPlace.name, options).items.compactMap { $0[path: "metadata", "name"]?.string }
    }
    #expect(try await names(.init()) == ["d0", "d1", "d2", "d3", "d4", "boiler-1"])
    #expect(try await names(.init(namespace: "b")) == ["d3", "d4"])
    #expect(try await names(.init(labelSelector: .init(matchLabels: ["line": "a"]))) == ["boiler-1"])
    let byName = FieldSelector(requirements: [.init(path: "metadata.name", value: "d1", isEqual: true)])
    #expect(try await names(.init(fieldSelector: byName)) == ["d1"])
    var token: String?
    var paged: [String] = []
    repeat {
      let page = try await place.backend.list(TwinPlace.name, .init(limit: 4, continueToken: token))
      paged += page.items.compactMap { $0[path: "metadata", "name"]?.string }
      #expect(page.remainingItemCount == (token == nil ? 2 : nil))
      token = page.continueToken
    } while token != nil
    #expect(paged == ["d0", "d1", "d2", "d3", "d4", "boiler-1"])
  }

  @Test func `A watch begins with what is there, then tells changes coalesced, and what is gone`() async throws {
    var events = try await place.backend.watch(TwinPlace.name, .init(), since: nil).makeAsyncIterator()
    #expect(await events.next()?.change == .added)
    #expect(await events.next()?.change == .bookmark)
    for value in 1...500 { place.report("temperature", .number(Double(value))) }
    let modified = try #require(await events.next())
    #expect(modified.change == .modified)
    #expect(property(modified.object, "temperature")?["reported"] == .double(500))
    let other = DeviceKey(namespace: "default", name: "d1")
    place.attach(other)
    #expect(await events.next()?.change == .added)
    place.store.remove(other)
    let deleted = try #require(await events.next())
    #expect(deleted.change == .deleted && deleted.object[path: "metadata", "name"] == "d1")
    let bookmark = try #require(await events.next())
    #expect(bookmark.change == .bookmark && bookmark.resourceVersion == place.store.version)
  }

  @Test func `A watch resumes from a version, and from one it can no longer follow it is expired`() async throws {
    place.report("temperature", .number(1))
    let version = place.store.version
    place.report("temperature", .number(2))
    place.attach(DeviceKey(namespace: "default", name: "d1"))
    var events = try await place.backend.watch(TwinPlace.name, .init(), since: version).makeAsyncIterator()
    let first = try #require(await events.next())
    #expect(first.change == .modified && property(first.object, "temperature")?["reported"] == .double(2))
    let second = try #require(await events.next())
    #expect(second.change == .added && second.resourceVersion > first.resourceVersion)
    place.store.remove(DeviceKey(namespace: "default", name: "d1"))
    for impossible in [version, place.store.version + 1] {
      let status = await #expect(throws: APIStatus.self) {
        _ = try await place.backend.watch(TwinPlace.name, .init(), since: impossible)
      }
      #expect(status?.code == 410)
    }
  }

  @Test func `A watch of one namespace and label hears of nothing else`() async throws {
    let options = ListOptions(namespace: "default", labelSelector: .init(matchLabels: ["line": "a"]))
    var events = try await place.backend.watch(TwinPlace.name, options, since: nil).makeAsyncIterator()
    #expect(await events.next()?.change == .added)
    #expect(await events.next()?.change == .bookmark)
    place.attach(DeviceKey(namespace: "default", name: "d1"))
    place.attach(DeviceKey(namespace: "other", name: "boiler-1"))
    place.report("temperature", .number(3))
    let event = try #require(await events.next())
    #expect(event.change == .modified && event.object[path: "metadata", "namespace"] == "default")
    #expect(event.object[path: "metadata", "name"] == "boiler-1")
  }
}
