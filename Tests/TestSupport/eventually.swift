public struct Trouble: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// Waits until `condition` holds; throws past the deadline, saying what was awaited and what `seen` tells.
public func eventually(
  _ what: String, within limit: Duration = .seconds(300), seen: () async throws -> String = { "" },
  _ condition: () async throws -> Bool
) async throws {
  _ = try await eventually(what, within: limit, seen: seen) { try await condition() ? true : nil }
}

/// Waits until `condition` gives a value; throws past the deadline, saying what was awaited and what `seen` tells.
public func eventually<Value>(
  _ what: String, within limit: Duration = .seconds(300), seen: () async throws -> String = { "" },
  _ condition: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + limit
  while true {
    if let value = try await condition() { return value }
    guard ContinuousClock.now < deadline else { throw Trouble("not within \(limit): \(what)\n\(try await seen())") }
    try await Task.sleep(for: .milliseconds(10))
  }
}
