import CModbus
import Glibc

/// A libmodbus client for tests: blocking, with a timeout of a second unless said.
final class ModbusClient {
  private let context: OpaquePointer

  init(port: Int, unit: Int32 = 1, timeoutMilliseconds: UInt32 = 1_000) throws {
    context = modbus_new_tcp("127.0.0.1", Int32(port))
    modbus_set_slave(context, unit)
    modbus_set_response_timeout(context, timeoutMilliseconds / 1_000, timeoutMilliseconds % 1_000 * 1_000)
    guard modbus_connect(context) == 0 else { throw ModbusFailure(errno) }
  }

  deinit {
    modbus_close(context)
    modbus_free(context)
  }

  func holdings(_ address: Int32, _ count: Int32 = 1) throws -> [UInt16] {
    var values = [UInt16](repeating: 0, count: Int(count))
    try check(modbus_read_registers(context, address, count, &values))
    return values
  }

  func inputs(_ address: Int32, _ count: Int32 = 1) throws -> [UInt16] {
    var values = [UInt16](repeating: 0, count: Int(count))
    try check(modbus_read_input_registers(context, address, count, &values))
    return values
  }

  func coils(_ address: Int32, _ count: Int32) throws -> [UInt8] {
    var values = [UInt8](repeating: 0, count: Int(count))
    try check(modbus_read_bits(context, address, count, &values))
    return values
  }

  func discretes(_ address: Int32, _ count: Int32) throws -> [UInt8] {
    var values = [UInt8](repeating: 0, count: Int(count))
    try check(modbus_read_input_bits(context, address, count, &values))
    return values
  }

  func write(holding address: Int32, _ value: UInt16) throws {
    try check(modbus_write_register(context, address, value))
  }
  func write(coil address: Int32, _ value: Bool) throws { try check(modbus_write_bit(context, address, value ? 1 : 0)) }
  func write(holdings address: Int32, _ values: [UInt16]) throws {
    try check(modbus_write_registers(context, address, Int32(values.count), values))
  }
  func write(coils address: Int32, _ values: [UInt8]) throws {
    try check(modbus_write_bits(context, address, Int32(values.count), values))
  }
  func mask(holding address: Int32, and: UInt16, or: UInt16) throws {
    try check(modbus_mask_write_register(context, address, and, or))
  }
  func reportServerID() throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = modbus_report_slave_id(context, 256, &bytes)
    try check(count)
    return Array(bytes[..<Int(count)])
  }

  private func check(_ code: Int32) throws { if code < 0 { throw ModbusFailure(errno) } }
}

/// libmodbus's error number of a failed call.
struct ModbusFailure: Error, Equatable, CustomStringConvertible {
  var number: Int32
  init(_ number: Int32) { self.number = number }
  static func exception(_ code: Int32) -> ModbusFailure { ModbusFailure(112_345_678 + code) }
  static let timeout = ModbusFailure(ETIMEDOUT)
  /// An answer whose head does not fit the request.
  static let badData = ModbusFailure(112_345_678 + 13)
  var description: String { String(cString: modbus_strerror(number)) }
}

/// A plain TCP connection for frames that libmodbus cannot send or read.
final class RawConnection {
  private let descriptor: Int32

  init(port: Int) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = UInt16(port).bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(code == 0, "connect: \(errno)")
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

  /// At least `count` bytes, or fewer at the end of the stream; nil after two seconds without.
  func receive(_ count: Int) -> [UInt8]? {
    var received: [UInt8] = []
    while received.count < count {
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&polled, 1, 2_000) > 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: 512)
      let got = recv(descriptor, &bytes, bytes.count, 0)
      guard got > 0 else { return received }
      received += bytes[..<got]
    }
    return received
  }

  /// Sends a request for unit 1 and returns the answer's bytes from the function code on.
  func ask(_ request: [UInt8], transaction: UInt8 = 1) -> [UInt8]? {
    send([0, transaction, 0, 0, 0, UInt8(request.count + 1), 1] + request)
    guard let head = receive(8), head.count >= 8 else { return nil }
    let whole = 6 + Int(head[5])
    guard let rest = head.count < whole ? receive(whole - head.count) : [] else { return nil }
    return Array((head + rest)[7...])
  }
}
