import Documents
import Resources
import Testing
import TwinAggregation

@Suite struct MergedTwinsTests {
  static let start = Timestamp(seconds: 1_800_000_000)
  static let boiler = ObjectKey(namespace: "plant", name: "boiler-1")

  static func twin(
    _ name: String = "boiler-1", version: UInt64 = 1, uid: String = "u", served: Bool = true, connected: Bool = true,
    value: Int64 = 0
  ) -> JSONValue {
    [
      "apiVersion": "twin.selvedge.dev/v1alpha1", "kind": "Twin",
      "metadata": [
        "name": .string(name), "namespace": "plant", "uid": .string(uid), "resourceVersion": .string("\(version)"),
      ],
      "spec": ["desired": ["setpoint": .integer(value)]],
      "status": ["served": .bool(served), "connected": .bool(connected)],
    ]
  }

  static func merged(_ gateways: String..., bounds: MergedTwins.Bounds = .init()) -> MergedTwins {
    var twins = MergedTwins(startingAt: start, bounds: bounds)
    for gateway in gateways { twins.set(gateway, .live) }
    return twins
  }

  private func gateway(_ twins: MergedTwins) -> String? {
    twins.object(Self.boiler)?[path: "status", "gateway"]?.string
  }

  // MARK: Whose twin is shown

  struct Claim: Sendable {
    var served: Bool
    var isAway: Bool
    var connected: Bool
  }

  /// The second gateway claims against the first, which is shown, served, there and connected unless said otherwise.
  @Test(arguments: [
    (
      "both serve: the first stays", Claim(served: true, isAway: false, connected: true),
      Claim(served: true, isAway: false, connected: true), "gw-a"
    ),
    (
      "the first does not serve", Claim(served: false, isAway: false, connected: false),
      Claim(served: true, isAway: false, connected: false), "gw-b"
    ),
    (
      "the first is away, the second does not serve", Claim(served: true, isAway: true, connected: true),
      Claim(served: false, isAway: false, connected: false), "gw-a"
    ),
    (
      "the first is away, the second serves", Claim(served: true, isAway: true, connected: true),
      Claim(served: true, isAway: false, connected: false), "gw-b"
    ),
    (
      "only the second is connected", Claim(served: true, isAway: false, connected: false),
      Claim(served: true, isAway: false, connected: true), "gw-b"
    ),
    (
      "nobody serves and the first is away", Claim(served: false, isAway: true, connected: false),
      Claim(served: false, isAway: false, connected: false), "gw-b"
    ),
  ])
  func `The twin of the gateway that serves the device is shown`(
    _ name: String, _ first: Claim, _ second: Claim, _ shown: String
  ) {
    var twins = Self.merged("gw-a", "gw-b")
    twins.put(Self.twin(served: first.served, connected: first.connected), from: "gw-a")
    if first.isAway { twins.set("gw-a", .away(Self.start)) }
    twins.put(Self.twin(uid: "v", served: second.served, connected: second.connected), from: "gw-b")
    if second.isAway { twins.set("gw-b", .away(Self.start)) }
    #expect(gateway(twins) == shown)
  }

  @Test func `A takeover is another object: who watches is told of the end of the one and the start of the other`()
    async throws
  {
    let aggregate = TwinAggregate(Self.kind, twins: Self.merged("gw-a", "gw-b"))
    aggregate.change { $0.put(Self.twin(uid: "u"), from: "gw-a") }
    let events = try await aggregate.watch(Self.kind.name, ListOptions(), since: aggregate.read { $0.version })
    aggregate.change { twins in
      twins.put(Self.twin(version: 2, uid: "u", served: false), from: "gw-a")
      twins.put(Self.twin(version: 9, uid: "v"), from: "gw-b")
    }
    var told: [String] = []
    for await event in events {
      told.append("\(event.change.rawValue) \(event.object.metadata.uid)")
      if told.count == 2 { break }
    }
    #expect(told == ["DELETED u", "ADDED v"])
  }

  // MARK: Versions

  @Test func `Versions of a later run are greater, and nobody goes on from those of an earlier one`() async throws {
    var first = Self.merged("gw-a")
    for version in 1...1_000 { first.put(Self.twin(version: UInt64(version)), from: "gw-a") }
    let second = TwinAggregate(Self.kind, twins: MergedTwins(startingAt: Self.start + .milliseconds(1)))
    #expect(second.read { $0.version } > first.version)
    await #expect(throws: APIStatus.self) {
      _ = try await second.watch(Self.kind.name, ListOptions(), since: first.version)
    }
  }

  @Test func `What a gateway says again is no news, and what is older neither`() {
    var twins = Self.merged("gw-a")
    twins.put(Self.twin(version: 5, value: 5), from: "gw-a")
    let version = twins.version
    twins.put(Self.twin(version: 5, value: 5), from: "gw-a")
    twins.put(Self.twin(version: 4, value: 4), from: "gw-a")
    #expect(twins.version == version)
    // A gateway that has lost its data counts from the start again, and its list replaces what was known.
    twins.put(Self.twin(version: 2, value: 2), from: "gw-a", isWhole: true)
    #expect(twins.version == version + 1)
    #expect(twins.object(Self.boiler)?[path: "spec", "desired", "setpoint"] == 2)
  }

  @Test func `A watcher that the log has passed by is told to list again`() async throws {
    var bounds = MergedTwins.Bounds()
    bounds.log = 8
    let aggregate = TwinAggregate(Self.kind, twins: Self.merged("gw-a", bounds: bounds))
    aggregate.change { $0.put(Self.twin(), from: "gw-a") }
    let start = aggregate.read { $0.version }
    let events = try await aggregate.watch(Self.kind.name, ListOptions(), since: start)
    for version in 2...40 { aggregate.change { $0.put(Self.twin(version: UInt64(version)), from: "gw-a") } }
    var last: WatchEvent?
    for await event in events { last = event }
    #expect(last?.change == .error && last?.object["code"] == 410)
    await #expect(throws: APIStatus.self) { _ = try await aggregate.watch(Self.kind.name, ListOptions(), since: start) }
  }

  // MARK: What is away, missing, too much

  @Test func `The twins of a gateway that is away stay, marked, and its list says so`() throws {
    var twins = Self.merged("gw-a", "gw-b")
    twins.put(Self.twin(), from: "gw-a")
    #expect(twins.advice(namespace: nil, key: nil) == [])
    let version = twins.version
    twins.set("gw-a", .away(Self.start))
    twins.set("gw-a", .away(Self.start + .seconds(9)))
    #expect(twins.version == version + 1, "one change, and the time of the first")
    #expect(twins.object(Self.boiler)?[path: "status", "staleSince"] == "2027-01-15T08:00:00Z")
    #expect(twins.advice(namespace: nil, key: nil).first?.contains("gw-a (1, since 2027-01-15T08:00:00Z)") == true)
    #expect(twins.advice(namespace: "other", key: nil) == [])
    #expect(twins.advice(namespace: "plant", key: Self.boiler).first?.contains("gateway gw-a has been away") == true)
    twins.set("gw-a", .live)
    #expect(twins.object(Self.boiler)?[path: "status", "staleSince"] == nil)
    #expect(twins.advice(namespace: nil, key: Self.boiler) == [])
    twins.drop("gw-a")
    #expect(twins.object(Self.boiler) == nil && twins.list(ListOptions()).items == [])
  }

  @Test func `Twins beyond the bytes, and gateways beyond the number, are left out and said`() {
    var bounds = MergedTwins.Bounds()
    bounds.bytes = Self.twin("a").serialised().count * 2
    bounds.gateways = 2
    var twins = Self.merged("gw-a", "gw-b", "gw-c", bounds: bounds)
    for name in ["a", "b", "c"] { twins.put(Self.twin(name), from: "gw-a") }
    #expect(twins.list(ListOptions()).items.map(\.metadata.name) == ["a", "b"])
    #expect(twins.figures.beyondBound == 1 && twins.figures.omitted == 1 && twins.figures.refused == 1)
    let said = twins.advice(namespace: nil, key: nil).joined(separator: "; ")
    #expect(said.contains("1 gateways are not asked: 2 is the bound") && said.contains("1 twins are not shown"))
    twins.remove(ObjectKey(namespace: "plant", name: "a"), from: "gw-a")
    twins.put(Self.twin("c", version: 2), from: "gw-a")
    #expect(twins.list(ListOptions()).items.map(\.metadata.name) == ["b", "c"])
    #expect(twins.figures.omitted == 0 && twins.figures.bytes == bounds.bytes)
    twins.drop("gw-a")
    #expect(twins.figures.bytes == 0)
  }

  @Test func `A change of a twin whose gateway cannot be asked is refused with the gateway's name`() async throws {
    let aggregate = TwinAggregate(Self.kind, twins: Self.merged("gw-a"))
    aggregate.change { $0.put(Self.twin(), from: "gw-a") }
    do throws(APIStatus) {
      _ = try await aggregate.patch(
        Self.kind.name, Self.boiler, .merge(["spec": ["desired": ["setpoint": 1]]]), subresource: nil, WriteOptions())
      Issue.record("it was taken")
    } catch {
      #expect(error.code == 503 && error.message.contains("gw-a") && error.retryAfterSeconds == nil)
    }
  }

  static let kind: ResourceDefinition = {
    guard
      let kind = ResourceDefinition(crd: [
        "spec": [
          "group": "twin.selvedge.dev", "names": ["kind": "Twin", "plural": "twins"],
          "versions": [["name": "v1alpha1", "served": true]],
        ]
      ])
    else { preconditionFailure("no kind") }
    return kind
  }()
}
