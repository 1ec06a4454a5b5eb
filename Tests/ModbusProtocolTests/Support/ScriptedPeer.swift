import Foundation
import Synchronization

/// A raw TCP server whose answers the test writes: each request's bytes go through `answer`, whose result is sent as it is;
/// nil closes the connection.
final class ScriptedPeer: Sendable {
  let port: Int
  private let listener: Int32
  private let state = Mutex((requests: [[UInt8]](), connections: 0, isStopped: false))

  var requests: [[UInt8]] { state.withLock { $0.requests } }
  var connections: Int { state.withLock { $0.connections } }

  init(answer: @escaping @Sendable (_ request: [UInt8], _ count: Int) -> [UInt8]?) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(listener, raw, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, raw, &size) == 0
      }
    }
    guard bound else { throw TestTrouble("no port for the scripted peer") }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread { [self] in
      while true {
        let peer = accept(listener, nil, nil)
        guard peer >= 0 else { return }
        state.withLock { $0.connections += 1 }
        Thread.detachNewThread { self.serve(peer, answer) }
      }
    }
  }

  deinit { stop() }

  func stop() {
    let isFirst = state.withLock { state in
      defer { state.isStopped = true }
      return !state.isStopped
    }
    guard isFirst else { return }
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func serve(_ peer: Int32, _ answer: ([UInt8], Int) -> [UInt8]?) {
    defer { close(peer) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    while true {
      let count = recv(peer, &bytes, bytes.count, 0)
      guard count > 0 else { return }
      let request = Array(bytes[..<count])
      let number = state.withLock { state in
        state.requests.append(request)
        return state.requests.count
      }
      guard let reply = answer(request, number) else { return }
      if !reply.isEmpty { _ = send(peer, reply, reply.count, Int32(MSG_NOSIGNAL)) }
    }
  }
}

/// The right answer of a server whose registers all hold `value`, to a read of registers in MBAP framing.
func registersReply(_ request: [UInt8], value: UInt16 = 7) -> [UInt8] {
  let count = Int(request[11])
  let body =
    [request[6], request[7], UInt8(count * 2)] + (0..<count).flatMap { _ in [UInt8(value >> 8), UInt8(value & 0xFF)] }
  return Array(request[0..<4]) + [0, UInt8(body.count)] + body
}
