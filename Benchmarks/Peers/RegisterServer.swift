import CModbus
import Glibc

/// A Modbus TCP server on libmodbus with several ports, all out of the same holding registers; those that a request reads
/// all change with its answer. Runs as a peer, until its process is killed or its parent is gone.
struct RegisterServer {
  static let command = "serve-registers"
  /// How many there are.
  static let registers = 2_000
  /// How many one read may ask for.
  static let block = 125

  private let context: OpaquePointer
  private let mapping: UnsafeMutablePointer<modbus_mapping_t>
  private var listeners: [Int32] = []

  init(listeners count: Int) throws(BenchError) {
    guard let context = modbus_new_tcp("127.0.0.1", 0),
      let mapping = modbus_mapping_new(0, 0, Int32(Self.registers), 0)
    else { throw BenchError("libmodbus makes no server") }
    self.context = context
    self.mapping = mapping
    for _ in 0..<count {
      let descriptor = modbus_tcp_listen(context, 16)
      guard descriptor >= 0 else { throw BenchError("cannot listen: \(String(cString: modbus_strerror(errno)))") }
      listeners.append(descriptor)
    }
  }

  /// Starts a server of `count` ports in a process of its own.
  static func start(ports count: Int) throws -> (process: ChildProcess, ports: [Int]) {
    let process = try ChildProcess(peer: command, [count])
    let ports = (process.nextLine() ?? "").split(separator: " ").compactMap { Int($0) }
    guard ports.count == count else { throw BenchError("the register server does not start") }
    return (process, ports)
  }

  /// Prints one line with the ports and serves.
  func serve() {
    print(listeners.map { String(LoopbackSocket.port(of: $0)) }.joined(separator: " "))
    fflush(nil)
    let parent = getppid()
    var polled = listeners.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var request = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
    while poll(&polled, nfds_t(polled.count), 1_000) >= 0, getppid() == parent {
      for index in polled.indices.reversed() where polled[index].revents != 0 {
        if index < listeners.count {
          let descriptor = accept(polled[index].fd, nil, nil)
          var one: Int32 = 1
          setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
          polled.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        } else if !answer(polled[index].fd, &request) {
          close(polled[index].fd)
          polled.remove(at: index)
        }
      }
    }
  }

  private func answer(_ descriptor: Int32, _ request: inout [UInt8]) -> Bool {
    modbus_set_socket(context, descriptor)
    let length = modbus_receive(context, &request)
    guard length > 0 else { return length == 0 }
    let address = Int(request[8]) << 8 | Int(request[9])
    let count = Int(request[10]) << 8 | Int(request[11])
    for register in min(address, Self.registers)..<min(address + count, Self.registers) {
      mapping.pointee.tab_registers[register] &+= 1
    }
    return modbus_reply(context, request, length, mapping) >= 0
  }
}
