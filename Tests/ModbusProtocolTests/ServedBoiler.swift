import DeviceKit
import Documents
import ModbusProtocol

/// A device with one property of each table and a few encodings, and a session that serves it.
enum ServedBoiler {
  static let properties: [PropertyDefinition] = [
    property("setpoint", .number, .readWrite, ["table": "holding", "address": 40, "encoding": "int16", "scale": 0.1]),
    property("pump", .boolean, .readWrite, ["table": "coil", "address": 3]),
    property("flow", .number, ["table": "input", "address": 10, "encoding": "int16", "scale": 0.1]),
    property("alarm", .boolean, ["register": 30021, "bit": 5]),
    property("door", .boolean, ["register": 10004]),
    property("beyond", .integer, ["table": "holding", "address": 65]),
    property("behind", .integer, .readWrite, ["table": "holding", "address": 72]),
    property(
      "float", .number, .readWrite, ["table": "holding", "address": 80, "encoding": "float32", "order": "CDAB"]),
    property("next-a", .integer, .readWrite, ["table": "holding", "address": 90]),
    property("next-b", .integer, .readWrite, ["table": "holding", "address": 91]),
    property("bit-3", .boolean, .readWrite, ["table": "holding", "address": 95, "bit": 3]),
    property("secret", .integer, .write, ["table": "holding", "address": 99]),
  ]

  /// Runs a session of `properties` while `body` looks on.
  static func serve(
    _ plugin: ModbusPlugin, _ properties: [PropertyDefinition], _ connection: JSONValue,
    _ body: (any DeviceSession, CollectingFeed) async throws -> Void
  ) async throws {
    let feed = CollectingFeed()
    let session = try plugin.session(for: sessionRequest(properties, connection: connection), feed: feed)
    let task = Task { await session.run() }
    defer { task.cancel() }
    try await body(session, feed)
    task.cancel()
    await task.value
  }
}
