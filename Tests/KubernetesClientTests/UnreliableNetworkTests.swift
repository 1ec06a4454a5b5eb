import DeviceKit
import Documents
import Foundation
import KubernetesClient
import ResourceConformance
import ResourceStore
import Resources
import Synchronization
import TestSupport
import Testing

/// A network that cuts, delays and falls silent, before a server that refuses and forgets: in the end all is known, and
/// all that was to be written is.
@Suite struct UnreliableNetworkTests {
  /// As long as the environment says (`SELVEDGE_FAULT_SECONDS`), or 12 s.
  private static let span = Duration.seconds(
    Int(ProcessInfo.processInfo.environment["SELVEDGE_FAULT_SECONDS"] ?? "") ?? 12)
  private let widgets = TestKinds.widgets

  /// Changes objects in the cluster in a seeded order.
  private struct Churn {
    let cluster: TestCluster
    var generator: SplitMix64

    mutating func step() async throws {
      let key = ObjectKey(namespace: "default", name: "w\(Int.random(in: 0..<30, using: &generator))")
      let store = cluster.store
      let size = JSONValue.integer(Int64.random(in: 1...10, using: &generator))
      let colour: JSONValue = Bool.random(using: &generator) ? "red" : "green"
      do throws(APIStatus) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4:
          _ = try await store.create(
            TestKinds.widgets, namespace: "default", TestKinds.widget(key.name, ["size": size, "colour": colour]),
            WriteOptions())
        case 4..<8:
          _ = try await store.patch(
            TestKinds.widgets, key, .merge(["spec": ["size": size, "colour": colour]]), subresource: nil,
            WriteOptions())
        default: _ = try await store.delete(TestKinds.widgets, key, DeleteOptions())
        }
      } catch {
        // It is there already, or is not: the next step is another.
        guard error.code == 404 || error.reason == "AlreadyExists" else { throw error }
      }
    }
  }

  @Test("what is followed equals what there is at the end", .timeLimit(.minutes(10)), arguments: [true, false])
  func followed(withWatchLists: Bool) async throws {
    try await TestCluster.with { cluster in
      let proxy = try await UnreliableProxy(to: cluster.port, seed: withWatchLists ? 11 : 12)
      var tuning = TestCluster.tuning
      tuning.usesWatchList = withWatchLists
      tuning.shortestWatch = .seconds(1)
      tuning.longestWatch = .seconds(3)
      tuning.watchGrace = .seconds(1)
      tuning.answerTimeout = .seconds(2)
      tuning.pageSize = 7
      let selectors = try ["spec.colour=red", "spec.colour=green"].map { try FieldSelector(parsing: $0) }
      cluster.faults.begin(share: 0.15, seed: 5) { asked in
        asked.isRead ? [.tooManyRequests, .internalError, .expired] : []
      }
      try await cluster.withBackend([.init(widgets, selectors: selectors)], tuning: tuning, port: proxy.port) {
        backend in
        var churn = Churn(cluster: cluster, generator: SplitMix64(seed: 7))
        let view = try #require(ClusterView(backend))
        let deadline = ContinuousClock.now + Self.span
        var steps = 0
        while ContinuousClock.now < deadline {
          try await churn.step()
          steps += 1
          if steps.isMultiple(of: 50) { try await write(backend, "status \(steps)") }
          try await Task.sleep(for: .milliseconds(10))
        }
        cluster.faults.end()
        proxy.heal()
        let last = try await eventually("a status gets through") { try await write(backend, "the last") }
        let wanted = try await cluster.store.list(widgets, ListOptions()).items
        #expect(wanted.count > 3 && wanted.contains { $0 == last })
        try await eventually(
          "what is known is what there is",
          seen: { "\(try await view.list(widgets, ListOptions()).items)\n\(wanted)" }
        ) {
          try await view.list(widgets, ListOptions()).items == wanted
        }
      }
      #expect(cluster.faults.count > 0 && proxy.badConnections > 3)
      await proxy.stop()
    }
  }

  /// Applies a status to the first object; nil where the network or the server did not let it through.
  @discardableResult
  private func write(_ backend: KubernetesResourceBackend, _ phase: String) async throws -> JSONValue? {
    do {
      guard let object = try await backend.list(widgets, ListOptions()).items.first else { return nil }
      var configuration = TestKinds.widget(object.metadata.name)
      configuration["spec"] = JSONValue?.none
      configuration["status"] = ["phase": .string(phase)]
      return try await backend.patch(
        widgets, object.objectKey, .apply(configuration, force: true), subresource: .status,
        WriteOptions(fieldManager: "gateway")
      ).object
    } catch {
      return nil
    }
  }
}
