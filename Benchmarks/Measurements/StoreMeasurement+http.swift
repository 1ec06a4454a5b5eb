import Glibc
import HTTPServing
import Hummingbird
import KubernetesAPI
import Logging
import ResourceStore
import Resources

extension StoreBench {
  /// KB of a watch over HTTP, against a connection that has had an answer and waits.
  func watchersOverHTTP() async throws -> Measurement {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(7), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(7), &limit)
    let router = Router()
    router.get("/idle") { _, _ in "idle" }
    api.register(on: router)
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let application = HTTPServer(
      router: router, address: .init(host: "127.0.0.1", port: 0),
      gauge: ConnectionGauge(limits: .init(connections: 4_096)),
      onRunning: { channel in announce.yield(channel.localAddress?.port ?? 0) }, logger: .silent)
    let server = Task { try await application.run() }
    defer { server.cancel() }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else { throw BenchError("the server does not listen") }
    let version = await store.currentVersion
    let idle = try await growth(port, "/idle") { true }
    let watching = try await growth(
      port, "/apis/selvedge.dev/v1alpha1/devices?watch=1&resourceVersion=\(version)"
    ) { self.store.watcherCount == 1_000 }
    return Measurement(
      name: "memory of one of 1,000 watches over HTTP, against a kept connection's", ours: watching, floor: idle,
      unit: "KB")
  }

  /// Opens 1,000 connections that ask for `path`, and closes them; KB of memory for each meanwhile.
  private func growth(_ port: Int, _ path: String, _ isReady: () -> Bool) async throws -> Double {
    ProcessMemory.giveBack()
    let before = try ProcessMemory.resident()
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\nAccept: application/json\r\n\r\n"
    for _ in 0..<1_000 {
      let descriptor = try LoopbackSocket.connected(to: port)
      sockets.append(descriptor)
      guard send(descriptor, request, request.utf8.count, 0) == request.utf8.count else {
        throw BenchError("cannot send to the server")
      }
    }
    // Everyone has had the head of the answer.
    var byte: UInt8 = 0
    for descriptor in sockets {
      guard recv(descriptor, &byte, 1, 0) == 1 else { throw BenchError("the server does not answer") }
    }
    try await until("\(path) is served") { isReady() }
    return Double(try ProcessMemory.resident() - before) / 1e3 / 1_000
  }
}
