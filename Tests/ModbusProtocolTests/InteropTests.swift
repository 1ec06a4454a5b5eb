import CModbus
import DeviceKit
import Documents
import ModbusProtocol
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Every function code that the gateway sends, at servers that are not ours, over each kind of link.
@Suite(.serialized) struct InteropTests {
  private func expect(
    _ link: any ModbusLink, _ request: ModbusRequest, _ response: ModbusResponse,
    _ location: SourceLocation = #_sourceLocation
  ) async {
    let reply = await link.execute(request, unit: 1, timeout: .seconds(2))
    #expect(reply.result == .success(response), sourceLocation: location)
  }

  private func everyFunction(_ link: any ModbusLink) async {
    await expect(link, .writeCoil(address: 3, value: true), .written)
    await expect(link, .read(.coil, address: 2, count: 3), .bits([false, true, false]))
    let many = (0..<37).map { $0 % 3 == 0 }
    await expect(link, .writeCoils(address: 20, values: many), .written)
    await expect(link, .read(.coil, address: 20, count: 37), .bits(many))
    await expect(link, .writeRegister(address: 40, value: 0x1234), .written)
    await expect(link, .writeRegisters(address: 41, values: [1, 2, 0xFFFF]), .written)
    await expect(link, .read(.holding, address: 40, count: 4), .registers([0x1234, 1, 2, 0xFFFF]))
    await expect(link, .maskWrite(address: 40, and: 0xFF00, or: 0x0056), .written)
    await expect(
      link, .readWriteRegisters(readAddress: 40, readCount: 2, writeAddress: 42, values: [9, 8]),
      .registers([0x1256, 1]))
    await expect(link, .read(.holding, address: 42, count: 2), .registers([9, 8]))
    await expect(link, .read(.input, address: 10, count: 3), .registers([1010, 1011, 1012]))
    let outside = await link.execute(.read(.input, address: 5_000, count: 1), unit: 1, timeout: .seconds(2))
    #expect(outside.result == .failure(.exception(.illegalDataAddress)))
  }

  @Test(arguments: LinkFraming.allCases) func pymodbusServesEveryFunction(framing: LinkFraming) async throws {
    let server = try await PymodbusServer(framing == .tcp ? "tcp" : "rtu")
    defer { server.stop() }
    let link = TCPLink(
      TCPEndpoint(host: "127.0.0.1", port: server.port), framing: framing,
      on: LoopClock(MultiThreadedEventLoopGroup.singleton.next()))
    await everyFunction(link)
    await expect(link, .read(.discrete, address: 0, count: 7), .bits((0..<7).map { $0 % 3 == 0 }))
    let page = await link.execute(
      .readDeviceIdentification(code: 1, objectID: 0), unit: 1, timeout: .seconds(2))
    guard case .success(.identification(let identification)) = page.result else {
      Issue.record("\(page.result)")
      return
    }
    #expect(identification.objects[0] == Array("Example Works".utf8))
    let identity = await link.execute(.reportServerID, unit: 1, timeout: .seconds(2))
    guard case .success(.serverID) = identity.result else {
      Issue.record("\(identity.result)")
      return
    }
  }

  /// Also with RTS lowered and raised around each request, which a pseudo-terminal lets pass.
  @Test(arguments: [SerialSettings.Direction.automatic, .rtsHigh, .rtsLow])
  func libmodbusOnALineServesEveryFunction(direction: SerialSettings.Direction) async throws {
    let cable = try await SerialCable()
    defer { cable.cut() }
    let server = LibmodbusSerialServer(cable.device)
    let settings = SerialSettings(baudRate: 19_200, direction: direction)
    let link = SerialLink(line: SerialLine(path: cable.gateway), settings: settings)
    await everyFunction(link)
    await expect(link, .read(.discrete, address: 0, count: 3), .bits([false, false, false]))
    #expect(link.counters.timeouts == 0 && link.counters.exceptions == [2: 1])
    await server.stop()
  }

  @Test func aLineThatTheDriverCannotTurnRoundSaysWhatToDo() async throws {
    let cable = try await SerialCable()
    defer { cable.cut() }
    let link = SerialLink(line: SerialLine(path: cable.gateway), settings: SerialSettings(direction: .driver))
    let reply = await link.execute(.read(.holding, address: 0, count: 1), unit: 1, timeout: .milliseconds(100))
    guard case .failure(.unreachable(let reason, let message)) = reply.result else {
      Issue.record("\(reply.result)")
      return
    }
    #expect(reason == "DirectionUnsupported" && message.contains("serial.direction: Driver"))
  }

  /// What the gateway has written, as a third program sees it.
  @Test func mbpollReadsWhatWasWritten() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    let link = TCPLink(
      TCPEndpoint(host: "127.0.0.1", port: server.port), on: LoopClock(MultiThreadedEventLoopGroup.singleton.next()))
    await everyFunction(link)
    let words = try await run([
      "mbpoll", "-1", "-0", "-q", "-m", "tcp", "-p", "\(server.port)", "-a", "1", "-t", "4", "-r", "40", "-c", "4",
      "127.0.0.1",
    ]).succeeded()
    let values = words.split(separator: "\n").filter { $0.hasPrefix("[") }
      .compactMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }
    #expect(values == ["4694", "1", "9", "8"], "\(words)")
  }
}
