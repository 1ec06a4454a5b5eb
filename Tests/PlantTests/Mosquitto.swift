import Documents
import Glibc

/// Whether `condition` comes true within ten seconds.
func becomesTrue(_ condition: () -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + .seconds(10)
  while !condition() {
    guard ContinuousClock.now < deadline else { return false }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return true
}

struct NotReady: Error { var what: String }

/// A mosquitto of a test's own, on a free port of the loopback interface.
final class Mosquitto {
  let port: Int
  private var process: ChildProcess?

  init() async throws {
    port = try Self.freePort()
    try await start()
  }

  func start() async throws {
    process = try ChildProcess("/usr/sbin/mosquitto", ["-p", String(port)])
    guard await becomesTrue({ Self.answers(port) }) else { throw NotReady(what: "mosquitto on port \(port)") }
  }

  func stop() {
    process?.end(SIGTERM)
    process = nil
  }

  /// Ends the broker as a crash would.
  func kill() {
    process?.end(SIGKILL)
    process = nil
  }

  func publish(_ topic: String, _ payload: String) async throws {
    let arguments = ["-p", String(port), "-q", "1", "-t", topic, "-m", payload]
    let publisher = try ChildProcess("/usr/bin/mosquitto_pub", arguments)
    guard await becomesTrue({ publisher.exitStatus != nil }), publisher.exitStatus == 0 else {
      throw NotReady(what: "mosquitto_pub to \(topic)")
    }
  }

  private static func answers(_ port: Int) -> Bool {
    withSocket(port) { connect($0, $1, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
  }

  private static func freePort() throws -> Int {
    var port = 0
    let found = withSocket(0) { descriptor, name in
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      guard bind(descriptor, name, length) == 0 else { return false }
      var bound = sockaddr_in()
      let code = withUnsafeMutablePointer(to: &bound) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
      }
      port = Int(UInt16(bigEndian: bound.sin_port))
      return code == 0
    }
    guard found else { throw NotReady(what: "a free port") }
    return port
  }

  private static func withSocket(_ port: Int, _ body: (Int32, UnsafePointer<sockaddr>) -> Bool) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = UInt16(port).bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0) }
    }
  }
}

/// A mosquitto_sub that has subscribed, and the messages that it has printed since.
final class Subscriber {
  struct Message {
    var topic: String
    var payload: String

    func json() throws -> JSONValue {
      var parser = JSONParser(Array(payload.utf8))
      return try parser.parse()
    }
  }

  private let process: ChildProcess

  init(_ broker: Mosquitto, _ filter: String) async throws {
    // Its own second topic tells when the subscription stands.
    let marker = "test/subscribed/\(UInt64.random(in: 0...UInt64.max))"
    process = try ChildProcess(
      "/usr/bin/mosquitto_sub", ["-p", String(broker.port), "-q", "1", "-v", "-t", filter, "-t", marker])
    for _ in 0..<200 where !lines.contains(where: { $0.hasPrefix(marker) }) { try await broker.publish(marker, "1") }
    guard lines.contains(where: { $0.hasPrefix(marker) }) else { throw NotReady(what: "mosquitto_sub \(filter)") }
  }

  func stop() { process.end(SIGTERM) }

  private var lines: [String] {
    let bytes = process.output
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    return String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Every message so far, in order.
  var messages: [Message] {
    lines.compactMap { line in
      guard let space = line.firstIndex(of: " ") else { return nil }
      let message = Message(topic: String(line[..<space]), payload: String(line[line.index(after: space)...]))
      return message.topic.hasPrefix("test/") ? nil : message
    }
  }
}
