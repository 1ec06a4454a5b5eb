import Documents
import KubernetesClient
import ResourceConformance
import Resources
import Synchronization
import TestSupport
import Testing

/// What a client tells of its requests.
@Suite(.timeLimit(.minutes(2))) struct ClientFiguresTests {
  private typealias Call = ClientFigures.Call
  private let widgets = TestKinds.widgets
  private let key = ObjectKey(namespace: "default", name: "a")

  @Test("Requests are counted by verb, resource and class of the answer, with the time that they took")
  func requests() async throws {
    try await TestCluster.with { cluster in
      try await cluster.withBackend([]) { backend in
        _ = try await backend.create(
          widgets, namespace: "default", TestKinds.widget("a", ["size": 1]), WriteOptions())
        _ = try await backend.get(widgets, key)
        await #expect(throws: APIStatus.self) {
          try await backend.get(widgets, ObjectKey(namespace: "default", name: "b"))
        }
        _ = try await backend.list(widgets, ListOptions())
        _ = try await backend.patch(
          widgets, key, .merge(["status": ["phase": "Up"]]), subresource: .status, WriteOptions())
        let calls = backend.figures.calls
        #expect(calls[Call("create", "widgets")]?.counts == ["2xx": 1])
        #expect(calls[Call("get", "widgets")]?.counts == ["2xx": 1, "4xx": 1])
        #expect(calls[Call("list", "widgets")]?.counts == ["2xx": 1])
        #expect(calls[Call("patch", "widgets/status")]?.counts == ["2xx": 1])
        #expect(calls.count == 4 && calls.values.allSatisfy { $0.time > .zero })
      }
    }
  }

  @Test("A second try is counted with its cause, and both answers")
  func retries() async throws {
    try await TestCluster.with { cluster in
      try await cluster.withBackend([]) { backend in
        let left = Mutex<[FaultPlan.Fault]>([.tooManyRequests, .internalError])
        cluster.faults.begin(share: 1, seed: 1) { _ in left.withLock { $0.popLast().map { [$0] } ?? [] } }
        _ = try await backend.list(widgets, ListOptions())
        left.withLock { $0 = [.tooManyRequests, .unavailable] }
        _ = try await backend.create(widgets, namespace: "default", TestKinds.widget("a"), WriteOptions())
        let figures = backend.figures
        #expect(figures.retries == [.tooManyRequests: 2, .serverError: 2])
        #expect(figures.calls[Call("list", "widgets")]?.counts == ["2xx": 1, "4xx": 1, "5xx": 1])
        #expect(figures.calls[Call("create", "widgets")]?.counts == ["2xx": 1, "4xx": 1, "5xx": 1])
      }
    }
  }

  @Test("What had to wait for its turn is counted, with how long")
  func limiter() async throws {
    try await TestCluster.with { cluster in
      var tuning = TestCluster.tuning
      (tuning.requestsPerSecond, tuning.burst) = (100, 2)
      try await cluster.withBackend([], tuning: tuning) { backend in
        try await withThrowingDiscardingTaskGroup { group in
          for _ in 0..<10 { group.addTask { _ = try await backend.list(widgets, ListOptions()) } }
        }
        let figures = backend.figures
        #expect((1...8).contains(figures.delayed) && figures.delay > .zero)
      }
    }
  }

  @Test("Each end of a watch has its cause, and silence grows while the server is away")
  func watches() async throws {
    try await TestCluster.with { cluster in
      var tuning = TestCluster.tuning
      (tuning.shortestWatch, tuning.longestWatch) = (.seconds(1), .seconds(1))
      try await cluster.withBackend(tuning: tuning) { backend in
        func ends(_ cause: ClientFigures.WatchEnd) -> UInt64 { backend.figures.watchEnds[cause] ?? 0 }
        try await eventually("a watch ends in order") { ends(.ended) > 0 }
        cluster.faults.begin(share: 1, seed: 1) { $0.isWatch ? [.expired] : [] }
        try await eventually("one is expired") { ends(.expired) > 0 }
        cluster.faults.begin(share: 1, seed: 1) { $0.isWatch ? [.internalError] : [] }
        try await eventually("one is refused") { ends(.refused) > 0 }
        cluster.faults.end()
        #expect(backend.figures.isReachable && backend.figures.refused == 0)
        await cluster.stop()
        try await eventually("one is out of reach") { ends(.unreachable) > 0 && !backend.figures.isReachable }
        // One that comes just when the server is due to be tried is sent.
        try await eventually("a request is refused unsent") {
          await #expect(throws: APIStatus.self) { try await backend.get(TestKinds.racks, ObjectKey(name: "r")) }
          return backend.figures.refused > 0
        }
        try await eventually("silence grows") { backend.figures.silence > .seconds(2) }
        try await cluster.start()
        try await eventually("and ends") { backend.figures.isReachable && backend.figures.silence < .seconds(2) }
      }
    }
  }
}
