import KubernetesClient
import ResourceConformance
import Resources
import TestSupport
import Testing

/// What every backend does, done by the one whose resources live behind an API server: over TLS, with a token.
@Suite struct ConformanceTests {
  private func subject(_ backend: KubernetesResourceBackend, _ cluster: TestCluster) -> BackendUnderTest {
    .serving(widgets: backend, watcherCapacity: KubernetesResourceBackend.watcherCapacity) {
      try await cluster.compact()
    }
  }

  @Test("conforms where every read goes to the server", .timeLimit(.minutes(2)), arguments: BackendConformance.rules)
  func passingOn(_ rule: ConformanceRule) async throws {
    try await TestCluster.with { cluster in
      try await cluster.withBackend([]) { try await rule.hold(on: subject($0, cluster)) }
    }
  }

  @Test("conforms where the kind is followed", .timeLimit(.minutes(2)), arguments: BackendConformance.rules)
  func following(_ rule: ConformanceRule) async throws {
    try await TestCluster.with { cluster in
      try await cluster.withBackend { try await rule.hold(on: subject($0, cluster)) }
    }
  }
}
