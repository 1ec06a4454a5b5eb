import KubernetesClient
import ResourceConformance
import ResourceStore
import Resources
import TestSupport
import Testing

/// What every backend does, done through a network that cuts, delays and falls silent, by a server that refuses and
/// forgets.
///
/// A caller asks again, as ``PatientCaller`` does. What can be said of a single answer alone (see
/// ``BackendUnderTest/Ability/answers``) is asked where answers come late and after refusals, but come. Not asked at all
/// is what takes a thousand writes (``BackendUnderTest/Ability/cutsOff``), and of a kind that is followed, that a watch
/// begins with what was written a moment ago (``BackendUnderTest/Ability/promptWatches``): a follower that is cut off is
/// waited for, but not for ever. Nor, then, that what the server has compacted is gone
/// (``BackendUnderTest/Ability/compaction``): while it is away the follower answers, who has it still.
@Suite struct UnreliableConformanceTests {
  private static let abilities = Set(BackendUnderTest.Ability.allCases).subtracting([.cutsOff])
  private static let read = BackendConformance.rules(for: abilities)
  private static let followed = BackendConformance.rules(for: abilities.subtracting([.promptWatches, .compaction]))

  private static var tuning: ClientTuning {
    var tuning = TestCluster.tuning
    tuning.shortestWatch = .seconds(1)
    tuning.longestWatch = .seconds(2)
    tuning.watchGrace = .milliseconds(500)
    // A version that does not come is waited for by the server, for three seconds.
    tuning.answerTimeout = .seconds(4)
    return tuning
  }

  /// Each rule begins with another fate, so that all of them meet with all.
  private static func fates(_ rule: ConformanceRule, _ index: Int) -> [UnreliableProxy.Fate] {
    let late: [UnreliableProxy.Fate] = [.slow(milliseconds: 40), .fine, .slow(milliseconds: 15)]
    guard !rule.needs.contains(.answers) else { return late }
    let bad: [UnreliableProxy.Fate] = [
      .cut(after: 3_500), .silent(after: 5_000), .slow(milliseconds: 40), .cut(after: 9_000),
    ]
    return bad.indices.flatMap { [bad[(index + $0) % bad.count]] + ($0.isMultiple(of: 2) ? [.fine] : []) }
  }

  private func hold(
    _ rule: ConformanceRule, _ index: Int, following: [KubernetesResourceBackend.Following]
  ) async throws {
    try await TestCluster.with { cluster in
      let proxy = try await UnreliableProxy(to: cluster.port, fates: Self.fates(rule, index))
      // What is forgotten is the follower's to list again: it watches all namespaces, rules that ask of them aside.
      let forgets = !rule.needs.contains(.namespaces)
      cluster.faults.begin(share: 0.1, seed: UInt64(index)) { asked in
        guard asked.isRead else { return [.tooManyRequests, .unavailable] }
        let isFollower = asked.isWatch && forgets && !asked.isInNamespace
        return [.tooManyRequests, .internalError] + (isFollower ? [.expired] : [])
      }
      try await cluster.withBackend(following, tuning: Self.tuning, port: proxy.port) { backend in
        try await rule.hold(
          on: .serving(widgets: PatientCaller(backend)) {
            try await cluster.compact()
          })
        cluster.faults.end()
        proxy.heal()
        guard let view = ClusterView(backend), !following.isEmpty else { return }
        try await eventually("what is known is what there is") {
          try await view.list(TestKinds.widgets, ListOptions()).items
            == (try await cluster.store.list(TestKinds.widgets, ListOptions()).items)
        }
      }
      #expect(proxy.badConnections > 0)
      await proxy.stop()
    }
  }

  @Test("conforms where every read goes to the server", .timeLimit(.minutes(4)), arguments: zip(read, read.indices))
  func passingOn(_ rule: ConformanceRule, _ index: Int) async throws {
    try await hold(rule, index, following: [])
  }

  @Test("conforms where the kind is followed", .timeLimit(.minutes(4)), arguments: zip(followed, followed.indices))
  func following(_ rule: ConformanceRule, _ index: Int) async throws {
    try await hold(rule, index, following: [.init(TestKinds.widgets)])
  }
}
