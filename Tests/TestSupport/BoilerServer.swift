import Foundation

/// A boiler controller on pymodbus, in a process of its own, that tells every request to write.
///
/// Unit 1 holds the map of the model `boiler-controller`; the setpoint, holding register 40, starts at 200 (20.0 degC).
public final class BoilerServer: Sendable {
  public let port: Int
  private let process: ChildProcess
  private let folder: ScratchFolder

  public init() async throws {
    folder = try ScratchFolder()
    let process = try ChildProcess(["python3", "-u", "-c", Self.script], in: folder)
    self.process = process
    var port = 0
    try await eventually("pymodbus is ready", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("pymodbus has ended: \(process.errors)") }
      guard let match = process.output.firstMatch(of: /ready ([0-9]+)\n/) else { return false }
      port = Int(match.1) ?? 0
      return true
    }
    self.port = port
  }

  /// One entry a request: function code, address and values.
  public var writes: [String] {
    process.output.split(separator: "\n").filter { $0.hasPrefix("write ") }.map { String($0.dropFirst(6)) }
  }

  /// A holding register, read back by mbpoll, which is libmodbus and no part of the gateway.
  public func holding(_ address: Int) async throws -> Int {
    let output = try await run([
      "mbpoll", "-m", "tcp", "-p", "\(port)", "-a", "1", "-0", "-t", "4", "-r", "\(address)", "-c", "1", "-1",
      "127.0.0.1",
    ]).succeeded()
    guard let match = output.firstMatch(of: /\[[0-9]+\]:\s*(-?[0-9]+)/), let value = Int(match.1) else {
      throw Trouble("mbpoll says \(output)")
    }
    return value
  }

  /// The model of this boiler.
  public static let model = """
    apiVersion: selvedge.dev/v1alpha1
    kind: DeviceModel
    metadata: {name: boiler-controller}
    spec:
      manufacturer: Example Works
      model: BC-4
      protocol: modbus
      properties:
      - {name: flow-temperature, type: number, unit: degC, access: Read, poll: {every: 200ms},
         modbus: {table: input, address: 10, encoding: int16, scale: 0.1}}
      - {name: setpoint, type: number, unit: degC, access: ReadWrite, minimum: 20, maximum: 85, poll: {every: 200ms},
         modbus: {table: holding, address: 40, encoding: int16, scale: 0.1}}
      - {name: pump, type: boolean, access: ReadWrite, poll: {every: 200ms}, modbus: {table: coil, address: 3}}
    """

  /// A Device for this boiler; `desired` in YAML's flow style.
  public func device(_ name: String = "boiler-1", desired: String? = nil) -> String {
    """
    apiVersion: selvedge.dev/v1alpha1
    kind: Device
    metadata: {name: \(name), labels: {line: a}}
    spec:
      modelRef: {name: boiler-controller}
      connection: {modbus: {tcp: {host: 127.0.0.1, port: \(port)}, unitID: 1, timeout: 1s}}
      writes: Enabled
    \(desired.map { "  desired: \($0)" } ?? "")
    """
  }

  private static let script = #"""
    import asyncio, logging
    from pymodbus.datastore import ModbusSparseDataBlock, ModbusDeviceContext, ModbusServerContext
    from pymodbus.server import ModbusTcpServer

    def tell(is_answer, pdu):
        if not is_answer and pdu.function_code in (5, 6, 15, 16, 22, 23):
            print("write", pdu.function_code, pdu.address, pdu.registers or pdu.bits, flush=True)
        return pdu

    async def main():
        holding = {i: 0 for i in range(120)} | {40: 200}
        unit = ModbusDeviceContext(
            co=ModbusSparseDataBlock({i: False for i in range(20)}),
            di=ModbusSparseDataBlock({i: False for i in range(20)}),
            ir=ModbusSparseDataBlock({i: 0 for i in range(40)} | {10: 421}),
            hr=ModbusSparseDataBlock(holding))
        context = ModbusServerContext(devices={1: unit}, single=False)
        server = ModbusTcpServer(context, address=("127.0.0.1", 0), trace_pdu=tell)
        await server.serve_forever(background=True)
        print("ready", server.transport.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
    """#
}
