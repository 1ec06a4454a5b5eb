import Controllers
import DeviceKit
import Documents
import Foundation
import Logging
import ResourceStore
import Resources
import SinkKit
import Synchronization
import Telemetry
import TestSupport
import TwinStore

/// A store that several gateways share, and devices that tell who writes to them.
final class SharedPlant: Sendable {
  let store: EmbeddedResourceStore
  let folder: ScratchFolder
  let devices = RecordingDevices()
  static let namespace = "plant"

  init() async throws {
    folder = try ScratchFolder()
    let crds = try SharedPlant.crds()
    store = try EmbeddedResourceStore.open(
      directory: folder("store"), definitions: crds.compactMap { ResourceDefinition(crd: $0) }, crds: crds)
    for name in ["plant", "selvedge"] {
      _ = try await store.create(
        BuiltInKinds.namespaces.name, namespace: "",
        ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]], WriteOptions())
    }
    try await create(
      .deviceModels, "valve",
      ["protocol": "fake", "properties": [["name": "opening", "type": "number", "access": "ReadWrite", "fake": [:]]]])
  }

  private static func crds() throws -> [JSONValue] {
    try CRDComposer.customResourceDefinitions(
      protocols: [("fake", "type: object\nproperties: {host: {type: string}}", "type: object", nil)], sinks: [])
  }

  func create(_ resource: ResourceName, _ name: String, _ spec: JSONValue) async throws {
    let kind = store.definitions.first { $0.name == resource }!
    var object: JSONValue = ["apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind), "spec": spec]
    object.metadata.name = name
    _ = try await store.create(
      resource, namespace: kind.isNamespaced ? Self.namespace : "", object, WriteOptions())
  }

  func createDevice(_ name: String, desired: Double, whenIsolated: String? = nil, node: String? = nil) async throws {
    var spec: JSONValue = [
      "modelRef": ["name": "valve"], "connection": ["fake": ["host": .string(name)]],
      "desired": ["opening": .double(desired)],
    ]
    if let whenIsolated { spec["whenIsolated"] = .string(whenIsolated) }
    if let node { spec["nodeName"] = .string(node) }
    try await create(.devices, name, spec)
  }

  func desire(_ name: String, _ value: Double) async throws {
    _ = try await store.patch(
      .devices, ObjectKey(namespace: Self.namespace, name: name),
      .merge(["spec": ["desired": ["opening": .double(value)]]]),
      subresource: nil, WriteOptions())
  }

  /// The gateway that holds each group of devices.
  func holders() async throws -> [String: String] {
    let leases = try await store.list(.leases, ListOptions(namespace: "selvedge")).items
    var holders: [String: String] = [:]
    for lease in leases where lease.metadata.name.hasPrefix("selvedge-group-") {
      let holder = lease["spec"]?["holderIdentity"]?.string ?? ""
      holders[lease.metadata.name] = holder.isEmpty ? "" : String(holder.prefix { $0 != "_" })
    }
    return holders
  }
}

/// Values of devices by name, and every write with who made it.
final class RecordingDevices: Sendable {
  struct Write: Sendable, Hashable {
    var device: String
    var value: Value
    var gateway: String
  }
  private let state = Mutex<(values: [String: Value], writes: [Write])>(([:], []))
  /// Gateways from which no device can be reached.
  let outOfReach = Mutex<Set<String>>([])

  subscript(device: String) -> Value { state.withLock { $0.values[device] ?? .number(0) } }
  var writes: [Write] { state.withLock { $0.writes } }
  func write(_ device: String, _ value: Value, by gateway: String) {
    state.withLock { state in
      state.values[device] = value
      state.writes.append(Write(device: device, value: value, gateway: gateway))
    }
  }
  /// Somebody turns it by hand.
  func turn(_ device: String, _ value: Value) { state.withLock { $0.values[device] = value } }
}

/// A protocol of the tests: sessions that are connected at once.
struct FakePlugin: ProtocolPlugin {
  let name = "fake"
  let schema = ProtocolSchema(connection: "type: object", property: "type: object", discovery: nil)
  let devices: RecordingDevices
  let gateway: String

  func session(for request: SessionRequest, feed: any DeviceFeed) throws(DeviceError) -> any DeviceSession {
    FakeSession(request: request, feed: feed, devices: devices, gateway: gateway)
  }
  func discoverer(for request: DiscoveryRequest) throws(DeviceError) -> (any Discoverer)? { nil }
  /// Hosts called `port-…` are ports of the machine.
  func endpoint(of connection: JSONValue) -> String? {
    connection["host"]?.string.flatMap { $0.hasPrefix("port-") ? nil : $0 }
  }
}

struct FakeSession: DeviceSession {
  let request: SessionRequest
  let feed: any DeviceFeed
  let devices: RecordingDevices
  let gateway: String
  private var host: String { request.connection["host"]?.string ?? "" }

  func run() async {
    if devices.outOfReach.withLock({ $0.contains(gateway) }) {
      feed.connection(of: request.device, is: .disconnected(DeviceError(reason: "Unreachable", message: "no route")))
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
      return
    }
    feed.connection(of: request.device, is: .connected)
    while !Task.isCancelled {
      var batch = SampleBatch()
      let now = WallClock.system.now.nanoseconds
      batch.append(request.points[0], devices[host], quality: .good, sourceTime: now, gatewayTime: now)
      await feed.deliver(batch)
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
    let now = WallClock.system.now
    let reading = Reading(devices[host], sourceTime: now, gatewayTime: now)
    return Dictionary(uniqueKeysWithValues: properties.map { ($0, .success(reading)) })
  }

  func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
    writes.map { write in
      if let fence = request.fence, !fence.permits(writeWithin: .milliseconds(100)) { return WriteFence.refusal }
      devices.write(host, write.value, by: gateway)
      return nil
    }
  }
}
