public import Documents

/// RFC 6902: a list of operations on a document, all or none.
public enum JSONPatch {
  /// The document after `patch`. Throws 400 for a patch that is malformed and 422 for one that cannot be carried out.
  public static func applying(_ patch: JSONValue, to document: JSONValue) throws(APIStatus) -> JSONValue {
    guard let operations = patch.array else {
      throw .badRequest("a JSON patch must be a list of operations (RFC 6902)")
    }
    guard operations.count <= 10_000 else {
      throw APIStatus(
        code: 413, reason: "RequestEntityTooLarge", message: "a JSON patch may have at most 10000 operations")
    }
    var result = document
    for (index, operation) in operations.enumerated() {
      do throws(Failure) {
        try apply(operation, to: &result)
      } catch {
        let text = "operation \(index): \(error.message)"
        if error.isMalformed { throw .badRequest("malformed JSON patch: \(text)") }
        throw APIStatus(
          code: 422, reason: "Invalid",
          message: "the server rejected our request due to an error in our request: \(text)")
      }
    }
    return result
  }

  private struct Failure: Error {
    var message: String
    var isMalformed = false
  }

  private static func apply(_ operation: JSONValue, to document: inout JSONValue) throws(Failure) {
    guard let name = operation["op"]?.string, let path = operation["path"]?.string else {
      throw Failure(message: "op and path are required", isMalformed: true)
    }
    let pointer = try tokens(path)
    func value() throws(Failure) -> JSONValue {
      guard let value = operation["value"] else { throw Failure(message: "value is required", isMalformed: true) }
      return value
    }
    func source() throws(Failure) -> [String] {
      guard let from = operation["from"]?.string else { throw Failure(message: "from is required", isMalformed: true) }
      return try tokens(from)
    }
    switch name {
    case "add": try add(try value(), to: &document, pointer[...], path)
    case "remove": _ = try remove(from: &document, pointer[...], path)
    case "replace":
      guard !pointer.isEmpty else { return document = try value() }
      let replacement = try value()
      _ = try find(pointer, in: document, path)
      try set(replacement, in: &document, pointer[...], path)
    case "move":
      let from = try source()
      guard !(pointer.count > from.count && pointer.starts(with: from)) else {
        throw Failure(message: "cannot move \(operation["from"]!) into itself")
      }
      let moved = try remove(from: &document, from[...], operation["from"]?.string ?? "")
      try add(moved, to: &document, pointer[...], path)
    case "copy":
      try add(try find(try source(), in: document, operation["from"]?.string ?? ""), to: &document, pointer[...], path)
    case "test":
      guard try isSame(find(pointer, in: document, path), value()) else {
        throw Failure(message: "testing value \(path) failed")
      }
    default: throw Failure(message: "unknown op \"\(name)\"", isMalformed: true)
    }
  }

  /// RFC 6902 section 4.6: numbers are equal where their values are.
  private static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if left == right { return true }
    switch (left, right) {
    case (.array(let left), .array(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { isSame($0, $1) }
    case (.object(let left), .object(let right)):
      return left.count == right.count
        && left.allSatisfy { key, value in right[key].map { isSame(value, $0) } ?? false }
    default:
      guard let left = left.number, let right = right.number else { return false }
      return left == right
    }
  }

  /// RFC 6901.
  private static func tokens(_ pointer: String) throws(Failure) -> [String] {
    guard !pointer.isEmpty else { return [] }
    guard pointer.hasPrefix("/") else {
      throw Failure(message: "path \"\(pointer)\" must start with '/'", isMalformed: true)
    }
    return pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { token in
      token.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
        .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    }
  }

  private static func missing(_ path: String) -> Failure { Failure(message: "path \(path) does not exist") }

  private static func index(_ token: String, below count: Int, _ path: String) throws(Failure) -> Int {
    guard let index = Int(token), String(index) == token, index >= 0, index < count else { throw missing(path) }
    return index
  }

  private static func find(_ pointer: [String], in document: JSONValue, _ path: String) throws(Failure) -> JSONValue {
    var current = document
    for token in pointer {
      switch current {
      case .object(let members):
        guard let member = members[token] else { throw missing(path) }
        current = member
      case .array(let elements): current = elements[try index(token, below: elements.count, path)]
      default: throw missing(path)
      }
    }
    return current
  }

  /// Changes the container of the last token.
  private static func change(
    _ document: inout JSONValue, _ pointer: ArraySlice<String>, _ path: String,
    _ body: (inout JSONValue, String) throws(Failure) -> Void
  ) throws(Failure) {
    guard let token = pointer.first else { throw missing(path) }
    guard pointer.count > 1 else { return try body(&document, token) }
    switch document {
    case .object(let members):
      guard var member = members[token] else { throw missing(path) }
      try change(&member, pointer.dropFirst(), path, body)
      document[token] = member
    case .array(var elements):
      let index = try index(token, below: elements.count, path)
      try change(&elements[index], pointer.dropFirst(), path, body)
      document = .array(elements)
    default: throw missing(path)
    }
  }

  private static func add(
    _ value: JSONValue, to document: inout JSONValue, _ pointer: ArraySlice<String>, _ path: String
  ) throws(Failure) {
    guard !pointer.isEmpty else { return document = value }
    try change(&document, pointer, path) { (container, token) throws(Failure) in
      switch container {
      case .object: container[token] = value
      case .array(var elements):
        elements.insert(value, at: token == "-" ? elements.count : try index(token, below: elements.count + 1, path))
        container = .array(elements)
      default: throw missing(path)
      }
    }
  }

  private static func set(
    _ value: JSONValue, in document: inout JSONValue, _ pointer: ArraySlice<String>, _ path: String
  ) throws(Failure) {
    try change(&document, pointer, path) { (container, token) throws(Failure) in
      if case .array(var elements) = container {
        elements[try index(token, below: elements.count, path)] = value
        container = .array(elements)
      } else {
        container[token] = value
      }
    }
  }

  private static func remove(
    from document: inout JSONValue, _ pointer: ArraySlice<String>, _ path: String
  ) throws(Failure) -> JSONValue {
    var removed: JSONValue?
    try change(&document, pointer, path) { (container, token) throws(Failure) in
      switch container {
      case .object(let members):
        guard let member = members[token] else { throw missing(path) }
        removed = member
        container[token] = nil
      case .array(var elements):
        removed = elements.remove(at: try index(token, below: elements.count, path))
        container = .array(elements)
      default: throw missing(path)
      }
    }
    return removed ?? .null
  }
}
