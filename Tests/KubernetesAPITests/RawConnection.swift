import Glibc

/// One connection with blocking calls and a deadline, for what a well-behaved client would not send.
struct RawConnection: ~Copyable {
  struct Response {
    var code: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]
    /// Whether the body came to its end before the deadline and the connection's.
    var isWhole: Bool
    var text: String { String(decoding: body, as: UTF8.self) }
  }
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  /// Whether the other side has ended the connection, or the deadline has passed.
  private(set) var isOver = false

  /// - Parameter milliseconds: the deadline of each call. Where a hundred tests share two threads, a body of megabytes takes
  ///   its time.
  init(port: Int, milliseconds: Int = 180_000) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var time = timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let outcome = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard outcome == 0 else { throw Missed(what: "a connection to port \(port): errno \(errno)") }
  }

  deinit { close(descriptor) }

  /// False where the other side takes no more.
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  func mustSend(_ bytes: [UInt8]) throws {
    guard send(bytes) else { throw Missed(what: "\(bytes.count) bytes that the other side takes: errno \(errno)") }
  }

  /// Ends this side alone.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The code of the next head, which has no body.
  mutating func interim() -> Int? {
    guard let first = line(), first.hasPrefix("HTTP/1.1 ") else { return nil }
    while let line = line(), !line.isEmpty {}
    return Int(first.dropFirst(9).prefix(3))
  }

  /// All that comes until the other side ends.
  mutating func everything() -> String {
    while fill() {}
    defer { buffer = [] }
    return String(decoding: buffer, as: UTF8.self)
  }

  /// Reads more; false at the end.
  private mutating func fill() -> Bool {
    guard !isOver else { return false }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    guard count > 0 else {
      isOver = true
      return false
    }
    buffer += chunk[..<count]
    return true
  }

  private mutating func line() -> String? {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        let line = buffer[..<end]
        buffer.removeSubrange(...end)
        return String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
      }
      guard fill() else { return nil }
    }
  }

  private mutating func take(_ count: Int) -> (bytes: [UInt8], isWhole: Bool) {
    while buffer.count < count { guard fill() else { break } }
    let bytes = Array(buffer.prefix(count))
    buffer.removeFirst(bytes.count)
    return (bytes, bytes.count == count)
  }

  /// The next answer; nil where there is none.
  /// - Parameter isHead: to a HEAD, which has no body.
  mutating func response(isHead: Bool = false) -> Response? {
    guard let first = line(), first.hasPrefix("HTTP/1.1 "), let code = Int(first.dropFirst(9).prefix(3)) else {
      return nil
    }
    var headers: [String: String] = [:]
    while let line = line(), !line.isEmpty {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      headers[parts[0].lowercased()] = String(parts.last ?? "").filter { $0 != " " }
    }
    if code == 100 { return response(isHead: isHead) }
    var response = Response(code: code, headers: headers, body: [], isWhole: true)
    if isHead || code == 204 || code == 304 { return response }
    if let length = headers["content-length"].flatMap({ Int($0) }) {
      (response.body, response.isWhole) = take(length)
    } else if headers["transfer-encoding"] == "chunked" {
      while true {
        guard let size = line().flatMap({ Int($0, radix: 16) }) else {
          response.isWhole = false
          return response
        }
        let (bytes, isWhole) = take(size)
        response.body += bytes
        guard isWhole, line() != nil else {
          response.isWhole = false
          return response
        }
        if size == 0 { return response }
      }
    }
    return response
  }
}
