import CModbus
import Foundation
import Synchronization

/// Unit 1 of a serial line, served by libmodbus' own server side on a thread: input registers 1000 and up.
///
/// libmodbus does not know FC 43 and keeps silent to it; to FC 17 it answers with its name and version.
final class LibmodbusSerialServer: Sendable {
  private let isStopped = Atomic(false)
  private let hasEnded = Atomic(false)

  init(_ path: String) {
    Thread.detachNewThread { [self] in
      serve(path)
      hasEnded.store(true, ordering: .releasing)
    }
  }

  func stop() async {
    isStopped.store(true, ordering: .releasing)
    _ = await eventually { hasEnded.load(ordering: .acquiring) }
  }

  private func serve(_ path: String) {
    let parity = CChar(UInt8(ascii: "N"))
    guard let context = modbus_new_rtu(path, 19_200, parity, 8, 1), let mapping = modbus_mapping_new(100, 100, 200, 200)
    else {
      return
    }
    defer {
      modbus_close(context)
      modbus_free(context)
      modbus_mapping_free(mapping)
    }
    for index in 0..<200 { mapping.pointee.tab_input_registers[index] = UInt16(1000 + index) }
    modbus_set_slave(context, 1)
    modbus_set_indication_timeout(context, 0, 100_000)
    guard modbus_connect(context) == 0 else { return }
    var query = [UInt8](repeating: 0, count: Int(MODBUS_RTU_MAX_ADU_LENGTH))
    while !isStopped.load(ordering: .acquiring) {
      let size = modbus_receive(context, &query)
      if size > 0 { modbus_reply(context, query, size, mapping) } else if size < 0 { modbus_flush(context) }
    }
  }
}
