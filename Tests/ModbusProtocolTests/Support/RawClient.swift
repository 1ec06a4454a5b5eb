import Foundation
import Glibc
import NIOCore
import NIOPosix
import TestSupport

/// A TCP client of raw bytes.
///
/// `@unchecked Sendable`: one test uses it, one call after another.
final class RawClient: @unchecked Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw TestTrouble("no connection to port \(port)") }
  }

  deinit { close(descriptor) }

  /// Ends the connection.
  func leave() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw TestTrouble("the peer has gone") }
      sent += count
    }
  }

  /// As much as the socket takes at once; 0: it takes no more.
  func push(_ bytes: [UInt8]) -> Int {
    max(
      0,
      bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      })
  }

  /// `count` bytes, or fewer where the peer ends the connection.
  func receive(_ count: Int) async throws -> [UInt8] {
    try await offPool { [descriptor] in
      var bytes = [UInt8](repeating: 0, count: count)
      var got = 0
      while got < count {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 60_000) == 1 else { throw TestTrouble("the peer says nothing") }
        let more = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + got, count - got, 0) }
        guard more > 0 else { break }
        got += more
      }
      return Array(bytes[..<got])
    }
  }

  /// Waits until the peer has ended the connection.
  func awaitEnd() async throws {
    while try await !receive(1).isEmpty {}
  }
}

enum TestLoops {
  static func next() -> any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }
}
