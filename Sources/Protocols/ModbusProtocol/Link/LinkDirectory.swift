package import DeviceKit
import Glibc
package import NIOCore
import Synchronization

/// The links in use: one for each endpoint and each serial port, however many devices are behind it. A link lives as
/// long as somebody holds it.
package final class LinkDirectory: Sendable {
  private struct TCPKey: Hashable {
    var endpoint: TCPEndpoint
    var framing: LinkFraming
  }
  private struct Weak<Link: AnyObject & Sendable>: Sendable { weak var link: Link? }
  private struct State {
    var tcp: [TCPKey: Weak<TCPLink>] = [:]
    var serial: [String: Weak<SerialLine>] = [:]
  }
  private let state = Mutex(State())
  package let group: any EventLoopGroup
  package let clock: WallClock

  package init(group: any EventLoopGroup, clock: WallClock) {
    self.group = group
    self.clock = clock
  }

  /// The link to `endpoint`, made where there is none.
  package func tcp(_ endpoint: TCPEndpoint, framing: LinkFraming) -> TCPLink {
    let key = TCPKey(endpoint: endpoint, framing: framing)
    return state.withLock { state in
      if let link = state.tcp[key]?.link { return link }
      let link = TCPLink(endpoint, framing: framing, on: group, clock: clock)
      state.tcp = state.tcp.filter { $0.value.link != nil }
      state.tcp[key] = Weak(link: link)
      return link
    }
  }

  /// The line at `path`, by whatever link in /dev/serial it is called.
  package func serial(_ path: String) -> SerialLine {
    let real = Self.realPath(path)
    return state.withLock { state in
      if let line = state.serial[real]?.link { return line }
      let line = SerialLine(path: path, clock: clock)
      state.serial = state.serial.filter { $0.value.link != nil }
      state.serial[real] = Weak(link: line)
      return line
    }
  }

  /// `path` with symbolic links followed; itself where it does not exist.
  package static func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
