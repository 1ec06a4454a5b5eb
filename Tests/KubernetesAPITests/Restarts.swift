import Synchronization

/// The port that a server has through its restarts: 0 until the first has one.
final class PortOfRestarts: Sendable {
  private let value = Mutex(0)
  var port: Int { value.withLock { $0 } }
  func keep(_ port: Int) { value.withLock { $0 = port } }
}

/// A client that lives longer than the servers it speaks to; it ends with the test.
final class ClientOfRestarts: Sendable {
  private let client = Mutex<Subprocess.Running?>(nil)
  func keep(_ client: Subprocess.Running) { self.client.withLock { $0 = client } }
  var output: String { client.withLock { $0?.output ?? "" } }
  func result() async -> Subprocess? { await client.withLock { $0 }?.result(deadline: 120) }
  func terminate() { client.withLock { $0?.terminate() } }
  deinit { terminate() }
}
