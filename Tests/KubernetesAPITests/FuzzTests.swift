import DeviceKit
import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import Synchronization
import Testing

/// Random requests against a running server. `SELVEDGE_FUZZ_SECONDS` says how long (20), `SELVEDGE_FUZZ_SEED` where it
/// begins (new each time); a failure prints both what was sent and the seed.
@Suite("Random requests over HTTP", .timeLimit(.minutes(30)))
struct FuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seconds = environment["SELVEDGE_FUZZ_SECONDS"].flatMap { Double($0) } ?? 20
  private static let seed =
    environment["SELVEDGE_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000_000)
  /// Answers among which are all the ordinary outcomes; a busy machine is given longer for them.
  private static let enough = 5_000
  /// By how much the process may grow while it runs; other tests share the process, and some take as much as this alone.
  private static let growthLimit = 512 << 20
  private static let workers = 4

  private final class Found: Sendable {
    struct State {
      var faults: [String] = []
      var codes: [Int: Int] = [:]
      var newest: UInt64 = 1
    }
    private let state = Mutex(State())
    func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
      state.withLock { body(&$0) }
    }
  }

  @Test func neverCrashTheServerAndAreAlwaysAnsweredWithAStatus() async throws {
    let data = try DataDirectory()
    var store: EmbeddedResourceStore? = try await data.open()
    let found = Found()
    let before = try Self.residentBytes()
    try await RunningServer.with([store!]) { server in
      let port = server.port
      let deadline = ContinuousClock.now + .seconds(Self.seconds)
      await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<Self.workers {
          group.addTask { try await onThread { try Self.run(worker, port, until: deadline, found) } }
        }
        while let result = await group.nextResult() {
          if case .failure(let error) = result { Issue.record("seed \(Self.seed): \(error)") }
        }
      }
      try await Self.checkLists(server)
    }
    let growth = try Self.residentBytes() - before
    #expect(growth < Self.growthLimit, "seed \(Self.seed): the process grew by \(growth) bytes")
    let (faults, codes) = found.withLock { ($0.faults, $0.codes) }
    for fault in faults { Issue.record("seed \(Self.seed): \(fault)") }
    // The requests are random, not nonsense: all the ordinary outcomes are among them.
    for code in [200, 201, 400, 404, 405, 409, 415, 422] {
      #expect((codes[code] ?? 0) > 0, "seed \(Self.seed): no answer \(code) among \(codes)")
    }
    let objects = try await store!.list(TestKinds.widgets, ListOptions()).items
    let version = await store!.currentVersion
    await store!.endWatches()
    store = nil
    let again = try await data.open()
    #expect(try await again.list(TestKinds.widgets, ListOptions()).items == objects)
    #expect(await again.currentVersion == version)
    let files = try FileManager.default.contentsOfDirectory(atPath: data.path)
    #expect(!files.contains { $0.contains("corrupt") }, "seed \(Self.seed): \(files)")
    print(
      "fuzz: seed \(Self.seed), answers by code \(codes.sorted { $0.key < $1.key }), \(growth >> 20) MiB more resident")
  }

  private static func run(
    _ worker: Int, _ port: Int, until deadline: ContinuousClock.Instant, _ found: Found
  ) throws {
    var random = SplitMix64(seed: seed &+ UInt64(worker))
    var connection = try RawConnection(port: port)
    var count = 0
    func goesOn() -> Bool {
      let (faults, answers) = found.withLock { ($0.faults.count, $0.codes.values.reduce(0, +)) }
      let now = ContinuousClock.now
      return faults < 5 && (now < deadline || answers < enough && now < deadline + .seconds(600))
    }
    while goesOn() {
      let request = FuzzRequest(&random, newestVersion: found.withLock { $0.newest })
      count += 1
      if request.isWatch {
        let watch = try RawConnection(port: port, milliseconds: 200)
        try check(request, watch, found)
        continue
      }
      let isSent = connection.send(request.bytes)
      guard isSent, let response = connection.response(isHead: request.method == "HEAD") else {
        // A connection may be closed after an answer; then the request was never read, and a fresh one must answer.
        connection = try RawConnection(port: port)
        _ = connection.send(request.bytes)
        guard let response = connection.response(isHead: request.method == "HEAD") else {
          found.withLock { $0.faults.append("worker \(worker), request \(count): no answer to \(request.description)") }
          connection = try RawConnection(port: port)
          continue
        }
        note(response, request, found)
        continue
      }
      note(response, request, found)
      if response.headers["connection"] == "close" { connection = try RawConnection(port: port) }
    }
  }

  private static func check(
    _ request: FuzzRequest, _ connection: consuming RawConnection, _ found: Found
  ) throws {
    _ = connection.send(request.bytes)
    // A watch that is open goes on; what it says before the deadline is enough.
    if let response = connection.response() { note(response, request, found) }
  }

  private static func note(
    _ response: RawConnection.Response, _ request: FuzzRequest, _ found: Found
  ) {
    let json = try? JSONValue(parsing: response.body)
    var fault: String?
    if response.code >= 400, request.method != "HEAD" {
      if json?["kind"] != "Status" || json?["code"]?.int != response.code || json?["status"] != "Failure" {
        fault = "no Status: \(response.text.prefix(300))"
      } else if json?["message"]?.string?.isEmpty != false || json?["reason"]?.string?.isEmpty != false {
        fault = "a Status without reason or message"
      } else if response.headers["content-type"] != "application/json" {
        fault = "content type \(response.headers["content-type"] ?? "none")"
      } else if response.code == 500 {
        fault = "an internal error: \(response.text.prefix(300))"
      }
    } else if response.code < 300, !request.isWatch, request.method != "HEAD", json == nil,
      response.headers["content-type"] == "application/json"
    {
      fault = "no JSON: \(response.text.prefix(300))"
    }
    found.withLock { found in
      found.codes[response.code, default: 0] += 1
      if let text = json?[path: "metadata", "resourceVersion"]?.string, let version = UInt64(text), version < 1 << 40 {
        found.newest = max(found.newest, version)
      }
      if let fault { found.faults.append("\(response.code) \(fault)\nto \(request.description)") }
    }
  }

  /// Every kind can still be listed, and every object of it has its identity.
  private static func checkLists(_ server: RunningServer) async throws {
    for path in [
      "/api/v1/namespaces", "/api/v1/events", "/apis/test.dev/v1/widgets", "/apis/test.dev/v1/racks",
      "/apis/selvedge.dev/v1alpha1/devices",
    ] {
      let reply = try await server.curl(path)
      let list = try JSONValue(parsing: reply.body)
      let newest = list[path: "metadata", "resourceVersion"]?.string.flatMap { UInt64($0) } ?? 0
      #expect(reply.code == 200 && newest > 0, "seed \(seed): \(path)")
      for item in list["items"]?.array ?? [] {
        let version = UInt64(item.metadata.resourceVersion) ?? .max
        #expect(
          !item.metadata.name.isEmpty && !item.metadata.uid.isEmpty && version <= newest && version > 0,
          "seed \(seed): \(item)")
      }
    }
  }

  private static func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return (Int(text.split(separator: " ")[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }
}
