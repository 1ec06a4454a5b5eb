import Documents
import Glibc
import TestSupport

/// Whether `condition` comes true within a minute.
func becomesTrue(_ condition: () -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + .seconds(60)
  while !condition() {
    guard ContinuousClock.now < deadline else { return false }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return true
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
    process = try ChildProcess([
      "mosquitto_sub", "-p", "\(broker.port)", "-q", "1", "-v", "-t", filter, "-t", marker,
    ])
    for _ in 0..<200 where !lines.contains(where: { $0.hasPrefix(marker) }) { try await broker.publish(marker, "1") }
    guard lines.contains(where: { $0.hasPrefix(marker) }) else {
      throw Trouble("mosquitto_sub \(filter) hears nothing: \(process.errors)")
    }
  }

  func stop() { process.end(SIGTERM) }

  private var lines: [String] {
    let text = process.output
    guard let end = text.lastIndex(of: "\n") else { return [] }
    return text[..<end].split(separator: "\n").map(String.init)
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
