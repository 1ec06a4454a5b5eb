import Glibc
import Synchronization

/// Handed out so far, from a start of this process's own.
private let handedOut = Mutex<UInt32>(0)

/// A port of the loopback that nobody listens on now, and that no other caller in this process is given.
///
/// Below the range from which the kernel takes the ports of outgoing connections (ip(7), `ip_local_port_range`): none of
/// these can take it before a server listens on it.
public func freePort() -> UInt16 {
  let first: UInt32 = 10_000
  let count: UInt32 = 22_000
  while true {
    let step = handedOut.withLock { number in
      number += 1
      return number
    }
    let port = UInt16(first + (UInt32(truncatingIfNeeded: getpid()) &* 97 &+ step) % count)
    if isFree(port) { return port }
  }
}

private func isFree(_ port: UInt16) -> Bool {
  withSocket(port) { descriptor, name in bind(descriptor, name, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
}

/// Whether somebody takes connections on a port of the loopback.
public func answers(_ port: UInt16) -> Bool {
  withSocket(port) { descriptor, name in connect(descriptor, name, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
}

private func withSocket(_ port: UInt16, _ body: (Int32, UnsafePointer<sockaddr>) -> Bool) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  defer { close(descriptor) }
  var name = sockaddr_in()
  name.sin_family = sa_family_t(AF_INET)
  name.sin_port = port.bigEndian
  name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return withUnsafePointer(to: &name) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0) }
  }
}
