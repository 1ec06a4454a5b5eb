import Glibc
import Plant

/// Reads control lines from standard input and from a local TCP port, and answers them, on the caller's thread.
struct ControlConsole {
  private let plant: Plant
  private let listener: Int32?
  private var readers: [Reader]

  private struct Reader {
    let input: Int32
    let output: Int32
    var pending: [UInt8] = []
  }

  private static let longestLine = 4_096
  private static let mostConnections = 16

  init(plant: Plant, listener: Int32?) {
    self.plant = plant
    self.listener = listener
    readers = [Reader(input: 0, output: 1)]
  }

  /// A listening socket on the loopback address.
  static func listen(port: Int) throws -> (descriptor: Int32, port: Int) {
    guard let number = UInt16(exactly: port) else { throw ExitMessage("--control-port takes a port up to 65535") }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = number.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failure = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
        guard bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 16) == 0 else { return errno }
        getsockname(descriptor, address, &length)
        return 0
      }
    }
    guard failure == 0 else {
      close(descriptor)
      throw ExitMessage("cannot listen on 127.0.0.1:\(port) for control: \(String(cString: strerror(failure)))")
    }
    return (descriptor, Int(UInt16(bigEndian: name.sin_port)))
  }

  /// Serves until `stop` becomes readable. The end of standard input ends nothing.
  mutating func run(until stop: Int32) {
    while true {
      var polled = [pollfd(fd: stop, events: Int16(POLLIN), revents: 0)]
      polled.append(pollfd(fd: listener ?? -1, events: Int16(POLLIN), revents: 0))
      polled += readers.map { pollfd(fd: $0.input, events: Int16(POLLIN), revents: 0) }
      guard poll(&polled, nfds_t(polled.count), -1) > 0 else { continue }
      if polled[0].revents != 0 { return }
      for index in readers.indices.reversed() where polled[2 + index].revents != 0 {
        if !read(&readers[index]) {
          if readers[index].input > 2 { close(readers[index].input) }
          readers.remove(at: index)
        }
      }
      if polled[1].revents != 0, let listener { accept(listener) }
    }
  }

  private mutating func accept(_ listener: Int32) {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    guard readers.count <= Self.mostConnections else {
      close(descriptor)
      return
    }
    readers.append(Reader(input: descriptor, output: descriptor))
  }

  /// False where the input has ended.
  private func read(_ reader: inout Reader) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 1_024)
    let count = Glibc.read(reader.input, &bytes, bytes.count)
    guard count > 0 else { return false }
    reader.pending += bytes[..<count]
    while let end = reader.pending.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: reader.pending[..<end], as: UTF8.self)
      reader.pending.removeSubrange(...end)
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      let answer = Array((plant.control(line) + "\n").utf8)
      _ = write(reader.output, answer, answer.count)
    }
    return reader.pending.count <= Self.longestLine
  }
}
