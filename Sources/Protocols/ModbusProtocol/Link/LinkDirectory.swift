package import DeviceKit
import Glibc
package import NIOCore
import Synchronization

/// The links in use: one for each endpoint and each serial port, however many devices are behind it. A link lives as
/// long as somebody holds it.
///
/// Also keeps, for the life of the process, what links that are gone had counted.
package final class LinkDirectory: Sendable {
  private struct TCPKey: Hashable {
    var endpoint: TCPEndpoint
    var framing: LinkFraming
  }
  private struct Weak<Object: AnyObject & Sendable>: Sendable { weak var object: Object? }
  private struct State {
    var tcp: [TCPKey: Weak<TCPLink>] = [:]
    var serial: [String: Weak<SerialLine>] = [:]
    var maps: [[PropertyDefinition]: Weak<RegisterMap>] = [:]
  }
  /// What outlives links.
  private final class Records: Sendable {
    let ended = Mutex(LinkCounters())
    let sessions = Mutex(SessionCounters())
  }
  private let state = Mutex(State())
  private let records = Records()
  package let group: any EventLoopGroup
  package let clock: WallClock
  /// The event loop of all TCP links. 400,000 values a second are a tenth of what it can do; on a second one, sessions
  /// would wait for each other at the twins and pipelines that all of them feed, and move those between processors.
  let loopClock: LoopClock
  /// Looks for values that no read renews.
  package let ages = AgeWatch()
  /// Which reads devices were seen to refuse.
  package let refusals: RefusalFile

  /// `refusalPath`: the file that keeps what devices refuse over restarts; nil: nothing does.
  package init(group: any EventLoopGroup, clock: WallClock, refusalPath: String? = nil) {
    self.group = group
    loopClock = LoopClock(group.next())
    self.clock = clock
    refusals = RefusalFile(path: refusalPath, clock: clock)
  }

  /// The link to `endpoint`, made where there is none.
  package func tcp(_ endpoint: TCPEndpoint, framing: LinkFraming) -> TCPLink {
    let key = TCPKey(endpoint: endpoint, framing: framing)
    return state.withLock { state in
      if let link = state.tcp[key]?.object { return link }
      let link = TCPLink(
        endpoint, framing: framing, on: loopClock, clock: clock,
        atEnd: { [records] counters in records.ended.withLock { $0 += counters } })
      state.tcp = state.tcp.filter { $0.value.object != nil }
      state.tcp[key] = Weak(object: link)
      return link
    }
  }

  /// The line at `path`, by whatever link in /dev/serial it is called.
  package func serial(_ path: String) -> SerialLine {
    let real = Self.realPath(path)
    return state.withLock { state in
      if let line = state.serial[real]?.object { return line }
      let line = SerialLine(
        path: path, clock: clock, atEnd: { [records] counters in records.ended.withLock { $0 += counters } })
      state.serial = state.serial.filter { $0.value.object != nil }
      state.serial[real] = Weak(object: line)
      return line
    }
  }

  /// How `properties` lie in registers, the same for all devices that have them. Throws what ``PropertyBinding`` has
  /// against one.
  package func registerMap(of properties: [PropertyDefinition]) throws(DeviceError) -> RegisterMap {
    if let map = state.withLock({ $0.maps[properties]?.object }) { return map }
    let made = try RegisterMap(properties)
    return state.withLock { state in
      if let map = state.maps[properties]?.object { return map }
      state.maps = state.maps.filter { $0.value.object != nil }
      state.maps[properties] = Weak(object: made)
      return made
    }
  }

  /// What all links have counted since the start, those that are gone included.
  package var counters: LinkCounters {
    let living = state.withLock { state in
      (state.tcp.values.compactMap(\.object), state.serial.values.compactMap(\.object))
    }
    var sum = records.ended.withLock { $0 }
    for link in living.0 { sum += link.counters }
    for line in living.1 { sum += line.counters }
    return sum
  }

  /// Counts of all sessions.
  package var sessionCounters: SessionCounters { records.sessions.withLock { $0 } }
  package func count(_ change: (inout SessionCounters) -> Void) { records.sessions.withLock { change(&$0) } }

  /// `path` with symbolic links followed; itself where it does not exist.
  package static func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

/// What sessions count beside their links.
package struct SessionCounters: Sendable, Hashable {
  /// Polling periods that passed unread, since the device or its link was too slow.
  package var overruns: UInt64 = 0
  /// Requests sent once more, by the cause of the first try's end.
  package var retries: [String: UInt64] = [:]
  /// Polls left out, since the unit was silent and others share its link.
  package var skipped: UInt64 = 0
  /// Values told to be stale.
  package var stale: UInt64 = 0
  package init() {}
}
