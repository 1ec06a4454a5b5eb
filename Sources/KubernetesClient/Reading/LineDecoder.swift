package import Resources

/// Cuts a stream of bytes into lines, of which only the one that is not whole yet is kept. Pure.
package struct LineDecoder: Sendable {
  private let limit: Int
  private var rest: [UInt8] = []

  /// - Parameter limit: the longest line, in bytes.
  package init(limit: Int) { self.limit = limit }

  /// The lines that end with these bytes, without their newlines; empty ones are left out.
  package mutating func consume(_ bytes: [UInt8]) throws(APIStatus) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      guard rest.count + end - start <= limit else { throw .unreadable("an event of more than \(limit) bytes") }
      let line = rest + bytes[start..<end]
      if !line.isEmpty { lines.append(line) }
      rest.removeAll()
      start = end + 1
    }
    guard rest.count + bytes.count - start <= limit else { throw .unreadable("an event of more than \(limit) bytes") }
    rest += bytes[start...]
    return lines
  }
}
