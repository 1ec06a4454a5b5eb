import CModbus
import Glibc

/// A Modbus TCP server on libmodbus with 125 holding registers that prints every write of one register when it has it:
/// the value, and the monotonic clock in nanoseconds. Runs as a peer, until its process is killed or its parent is gone.
struct WriteServer {
  static let command = "serve-writes"

  /// Prints one line with the port and serves one connection after another.
  func serve() throws(BenchError) {
    guard let context = modbus_new_tcp("127.0.0.1", 0), let mapping = modbus_mapping_new(0, 0, 125, 0) else {
      throw BenchError("libmodbus makes no server")
    }
    var listener = modbus_tcp_listen(context, 4)
    guard listener >= 0 else { throw BenchError("cannot listen: \(String(cString: modbus_strerror(errno)))") }
    print(LoopbackSocket.port(of: listener))
    fflush(nil)
    var request = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
    while modbus_tcp_accept(context, &listener) >= 0 {
      while true {
        let length = modbus_receive(context, &request)
        guard length >= 0 else { break }
        // Function 6 or 16 (Modbus Application Protocol 1.1b3, 6.6 and 6.12), after the 7 bytes of the header.
        let value: UInt16? =
          switch request[7] {
          case 6: UInt16(request[10]) << 8 | UInt16(request[11])
          case 16: UInt16(request[13]) << 8 | UInt16(request[14])
          default: nil
          }
        if let value {
          print(value, Int(monotonicNanoseconds()))
          fflush(nil)
        }
        guard modbus_reply(context, request, length, mapping) >= 0 else { break }
      }
    }
  }
}
