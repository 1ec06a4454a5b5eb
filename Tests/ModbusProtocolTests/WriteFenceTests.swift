import DeviceKit
import ModbusProtocol
import Synchronization
import Testing

/// Writes that may not be over in time, on a link.
@Suite struct WriteFenceTests {
  /// Permits writes until it is shut, and tells what it was asked.
  private final class Gate: Sendable {
    private let state = Mutex((isOpen: true, asked: [Duration]()))
    var asked: [Duration] { state.withLock { $0.asked } }
    func shut() { state.withLock { $0.isOpen = false } }
    var fence: WriteFence {
      WriteFence { span in
        self.state.withLock { state in
          state.asked.append(span)
          return state.isOpen
        }
      }
    }
  }

  private static let write = ModbusRequest.writeRegister(address: 1, value: 2)

  private static func connected() -> LinkMachine {
    var machine = LinkMachine(framing: .tcp, backoff: ReconnectBackoff(seed: 1))
    _ = machine.handle(
      .submit(LinkJob(id: 1, request: .read(.holding, address: 0, count: 1), unit: 1, timeout: .seconds(1))), at: 0)
    _ = machine.handle(.connected, at: 0)
    return machine
  }

  private static func sends(_ directives: [LinkMachine.Directive]) -> Int {
    directives.count { if case .send = $0 { true } else { false } }
  }

  @Test func itIsAskedWhenTheTurnHasComeAndNotWhenTheWriteWasQueued() {
    var machine = Self.connected()
    let gate = Gate()
    _ = machine.handle(
      .submit(LinkJob(id: 2, request: Self.write, unit: 1, timeout: .seconds(1), fence: gate.fence)), at: 0)
    #expect(gate.asked == [], "a read is under way")
    gate.shut()
    let directives = machine.handle(.tick, at: 1_000_000_001)
    #expect(gate.asked == [.seconds(1)], "for as long as the answer may take")
    #expect(Self.sends(directives) == 0)
    #expect(directives.contains(.complete(2, unit: 1, .failure(.fenced))))
  }

  @Test func readsAreNotAsked() {
    var machine = Self.connected()
    let gate = Gate()
    gate.shut()
    _ = machine.handle(.tick, at: 1_000_000_001)
    let read = ModbusRequest.read(.holding, address: 0, count: 1)
    let directives = machine.handle(
      .submit(LinkJob(id: 2, request: read, unit: 1, timeout: .seconds(1), fence: gate.fence)), at: 1_000_000_002)
    #expect(Self.sends(directives) == 1 && gate.asked == [])
  }

  @Test func aWriteWithoutAnAnswerTakesWhatIsStillToBeSentWithIt() {
    var machine = Self.connected()
    _ = machine.handle(.tick, at: 1_000_000_001)
    let directives = machine.handle(
      .submit(LinkJob(id: 2, request: Self.write, unit: 1, timeout: .seconds(1), fence: Gate().fence)),
      at: 1_000_000_002)
    #expect(Self.sends(directives) == 1)
    #expect(machine.handle(.tick, at: 2_100_000_000).contains(.abort))
  }

  @Test func theErrorSaysThatItWasNotSent() {
    let error = ModbusError.fenced.deviceError("plc-1:502")
    #expect(error.reason == "LeaseLost" && !error.isPermanent && error.message.contains("not sent"))
  }
}
