internal import CModbus
internal import Glibc

/// libmodbus's server side: listens, accepts, and answers requests out of a mapping. Owned by one thread.
///
/// Frames are read by the caller and handed over whole: `modbus_receive` would wait with select() for the rest of a half
/// request, for every other client too, and knows no length for function code 43.
struct ModbusContext: ~Copyable {
  private let context: OpaquePointer
  private let host: String
  private let port: Int

  init(host: String, port: Int) throws(PlantError) {
    guard let context = modbus_new_tcp(host, Int32(port)) else {
      throw .cannotListen(host: host, port: port, reason: String(cString: modbus_strerror(errno)))
    }
    // Before some exceptions libmodbus sleeps for this long; a server has nothing to wait for.
    modbus_set_response_timeout(context, 0, 1)
    self.context = context
    self.host = host
    self.port = port
  }

  deinit { modbus_free(context) }

  /// A listening, non-blocking socket and its port, which the kernel chose where 0 was asked for.
  func listen() throws(PlantError) -> (descriptor: Int32, port: Int) {
    let descriptor = modbus_tcp_listen(context, 64)
    guard descriptor >= 0 else {
      throw .cannotListen(host: host, port: port, reason: String(cString: modbus_strerror(errno)))
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return (descriptor, Int(UInt16(bigEndian: name.sin_port)))
  }

  /// Answers `request` out of `mapping` on `descriptor`; false where the connection took no answer.
  func reply(to request: [UInt8], on descriptor: Int32, from mapping: RegisterMapping) -> Bool {
    modbus_set_socket(context, descriptor)
    defer { modbus_set_socket(context, -1) }
    return modbus_reply(context, request, Int32(request.count), mapping.pointer) >= 0
  }

  /// Answers `request` with an exception; false where the connection took no answer.
  func refuse(_ request: [UInt8], on descriptor: Int32, code: UInt8) -> Bool {
    modbus_set_socket(context, descriptor)
    defer { modbus_set_socket(context, -1) }
    return modbus_reply_exception(context, request, UInt32(code)) >= 0
  }
}

/// libmodbus's memory for the four tables of one server.
final class RegisterMapping: @unchecked Sendable {
  // Proof: only `ModbusServer.State` holds one, and that lives behind its server's lock.
  let pointer: UnsafeMutablePointer<modbus_mapping_t>

  init(layout: RegisterLayout) {
    func start(_ range: Range<Int>) -> UInt32 { UInt32(range.lowerBound) }
    func count(_ range: Range<Int>) -> UInt32 { UInt32(range.count) }
    let made = modbus_mapping_new_start_address(
      start(layout.coils), count(layout.coils), start(layout.discretes), count(layout.discretes),
      start(layout.holdings), count(layout.holdings), start(layout.inputs), count(layout.inputs))
    guard let made else { preconditionFailure("out of memory for a register mapping") }
    pointer = made
  }

  deinit { modbus_mapping_free(pointer) }

  /// Copies all tables out of `image`.
  func load(_ image: RegisterImage) {
    let mapping = pointer.pointee
    if !image.coils.isEmpty { mapping.tab_bits.update(from: image.coils, count: image.coils.count) }
    if !image.discretes.isEmpty { mapping.tab_input_bits.update(from: image.discretes, count: image.discretes.count) }
    if !image.inputs.isEmpty { mapping.tab_input_registers.update(from: image.inputs, count: image.inputs.count) }
    if !image.holdings.isEmpty { mapping.tab_registers.update(from: image.holdings, count: image.holdings.count) }
  }

  /// Copies what clients can write into `image`.
  func store(into image: inout RegisterImage) {
    let mapping = pointer.pointee
    for index in image.coils.indices { image.coils[index] = mapping.tab_bits[index] }
    for index in image.holdings.indices { image.holdings[index] = mapping.tab_registers[index] }
  }
}
