import Glibc

/// A mosquitto on a free port of the loopback, which holds back and drops nothing.
final class BenchBroker {
  let port: Int
  let place: BenchPlace
  private let process: ChildProcess

  init() throws(BenchError) {
    port = LoopbackSocket.freePort()
    place = try BenchPlace()
    let lines = [
      "listener \(port) 127.0.0.1", "allow_anonymous true", "log_dest file \(place.path("mosquitto.log"))",
      "log_type error", "log_type warning", "log_type notice", "max_inflight_messages 0",
      "max_queued_messages 0", "set_tcp_nodelay true",
    ]
    let path = place.path("mosquitto.conf")
    guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
    fputs(lines.joined(separator: "\n") + "\n", file)
    fclose(file)
    let programs = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
    guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
      throw BenchError("there is no mosquitto: install the Debian package of that name")
    }
    process = try ChildProcess(program, ["-c", path])
    let deadline = ContinuousClock.now + .seconds(10)
    while !LoopbackSocket.answers(port: port) {
      guard ContinuousClock.now < deadline else { throw BenchError("mosquitto does not listen on \(port)") }
      usleep(2_000)
    }
  }

  /// The last lines that the broker has said, for a report of what went wrong.
  var lastWords: String {
    guard let file = fopen(place.path("mosquitto.log"), "r") else { return "nothing" }
    defer { fclose(file) }
    var lines: [String] = []
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, 512, file) != nil {
      let bytes = line.prefix { $0 != 0 && $0 != 0x0A }.map { UInt8(bitPattern: $0) }
      lines.append(String(decoding: bytes, as: UTF8.self))
    }
    return lines.suffix(3).joined(separator: " | ")
  }

  /// Starts a publisher of `messages` over `topics`.
  func publisher(topics: Int, messages: Int, qos: Int) throws(BenchError) -> ChildProcess {
    try ChildProcess(peer: TopicPublisher.command, [port, topics, messages, qos])
  }
}
