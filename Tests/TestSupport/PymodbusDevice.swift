import Foundation

/// A Modbus device on pymodbus, in a process of its own, that tells what is asked of it and how many connections it has.
public final class PymodbusDevice: Sendable {
  public let host: String
  public let port: Int
  private let process: ChildProcess
  private let folder: ScratchFolder

  /// - Parameters:
  ///   - units: by unit ID and address, the holding registers that are there; others are answered with exception 2. In JSON.
  ///   - identity: the objects of function 43/14 by pymodbus' names, in JSON.
  public init(units: String, identity: String = "{}", host: String = "127.0.0.1", port: Int = 0) async throws {
    folder = try ScratchFolder()
    self.host = host
    let image = try folder.write(units, to: "units.json")
    let process = try ChildProcess(["python3", "-u", "-c", Self.script, host, "\(port)", image, identity], in: folder)
    self.process = process
    var bound = 0
    try await eventually("pymodbus is ready", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("pymodbus has ended: \(process.errors)") }
      guard let match = process.output.firstMatch(of: /ready ([0-9]+)\n/) else { return false }
      bound = Int(match.1) ?? 0
      return true
    }
    self.port = bound
  }

  public func stop() { process.end(SIGKILL) }

  /// One entry a request in the order of their coming: `UNIT FUNCTION ADDRESS COUNT`, then ` exception CODE` where it was refused.
  public var requests: [String] {
    process.output.split(separator: "\n").filter { $0.hasPrefix("request ") }.map { String($0.dropFirst(8)) }
  }

  public var refused: [String] { requests.filter { $0.contains("exception") } }

  /// The most connections that were open at one moment.
  public var mostConnections: Int {
    process.output.split(separator: "\n").compactMap { line in
      line.hasPrefix("connections ") ? Int(line.dropFirst(12)) : nil
    }.max() ?? 0
  }

  private static let script = #"""
    import asyncio, json, logging, sys
    from pymodbus import ModbusDeviceIdentification
    from pymodbus.datastore import ModbusSparseDataBlock, ModbusDeviceContext, ModbusServerContext
    from pymodbus.server import ModbusTcpServer

    host, port, image, identity = sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
    asked, connections = [], 0

    def tell(is_answer, pdu):
        if not is_answer:
            asked.append(f"request {pdu.dev_id} {pdu.function_code} {pdu.address} {pdu.count}")
        elif asked:
            code = f" exception {pdu.exception_code}" if pdu.isError() else ""
            print(asked.pop(0) + code, flush=True)
        return pdu

    def count(is_open):
        global connections
        connections += 1 if is_open else -1
        print("connections", connections, flush=True)

    async def main():
        units = json.load(open(image))
        devices = {
            int(unit): ModbusDeviceContext(hr=ModbusSparseDataBlock({int(at): value for at, value in holding.items()}))
            for unit, holding in units.items()}
        server = ModbusTcpServer(
            ModbusServerContext(devices=devices, single=False), address=(host, port), trace_pdu=tell, trace_connect=count,
            identity=ModbusDeviceIdentification(info_name=identity))
        await server.serve_forever(background=True)
        print("ready", server.transport.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
    """#
}
