import DeviceKit
import ModbusProtocol
import Testing

@Suite struct FrameTests {
  /// Examples of Modbus Application Protocol V1.1b3, sections 6.1 to 6.21.
  @Test(arguments: [
    (ModbusRequest.read(.coil, address: 0x13, count: 0x13), [1, 0, 0x13, 0, 0x13] as [UInt8]),
    (.read(.discrete, address: 0xC4, count: 0x16), [2, 0, 0xC4, 0, 0x16]),
    (.read(.holding, address: 0x6B, count: 3), [3, 0, 0x6B, 0, 3]),
    (.read(.input, address: 8, count: 1), [4, 0, 8, 0, 1]),
    (.writeCoil(address: 0xAC, value: true), [5, 0, 0xAC, 0xFF, 0]),
    (.writeRegister(address: 1, value: 3), [6, 0, 1, 0, 3]),
    (
      .writeCoils(address: 0x13, values: [true, false, true, true, false, false, true, true, true, false]),
      [15, 0, 0x13, 0, 10, 2, 0xCD, 1]
    ), (.writeRegisters(address: 1, values: [10, 0x102]), [16, 0, 1, 0, 2, 4, 0, 10, 1, 2]), (.reportServerID, [17]),
    (.maskWrite(address: 4, and: 0xF2, or: 0x25), [22, 0, 4, 0, 0xF2, 0, 0x25]),
    (
      .readWriteRegisters(readAddress: 3, readCount: 6, writeAddress: 14, values: [0xFF, 0xFF, 0xFF]),
      [23, 0, 3, 0, 6, 0, 14, 0, 3, 6, 0, 0xFF, 0, 0xFF, 0, 0xFF]
    ), (.readDeviceIdentification(code: 1, objectID: 0), [43, 14, 1, 0]),
  ])
  func requestsAreTheSpecificationsExamples(request: ModbusRequest, bytes: [UInt8]) {
    #expect(request.bytes == bytes)
  }

  @Test(arguments: [
    (
      ModbusRequest.read(.coil, address: 0x13, count: 3), [1, 1, 0xCD] as [UInt8],
      ModbusResponse.bits([true, false, true])
    ),
    (.read(.holding, address: 0x6B, count: 3), [3, 6, 2, 0x2B, 0, 0, 0, 0x64], .registers([0x22B, 0, 0x64])),
    (.writeRegister(address: 1, value: 3), [6, 0, 1, 0, 3], .written),
    (.writeRegisters(address: 1, values: [10, 0x102]), [16, 0, 1, 0, 2], .written),
    (.reportServerID, [17, 3, 0x41, 0x42, 0xFF], .serverID([0x41, 0x42, 0xFF])),
    (
      .readDeviceIdentification(code: 1, objectID: 0), [43, 14, 1, 1, 0xFF, 2, 1, 0, 2, 0x41, 0x42],
      .identification(DeviceIdentificationPage(code: 1, conformity: 1, nextObjectID: 2, objects: [0: [0x41, 0x42]]))
    ),
  ])
  func repliesAreRead(request: ModbusRequest, bytes: [UInt8], response: ModbusResponse) {
    #expect(request.response(from: bytes[...]) == .success(response))
  }

  @Test(
    arguments: [
      [3, 4, 0, 0, 0], [3, 4, 0, 0, 0, 0, 0], [3, 6, 0, 0, 0, 0], [3, 2, 0, 0], [], [0x83], [0x83, 2, 2],
      [4, 4, 0, 0, 0, 0], [0x84, 2],
    ] as [[UInt8]])
  func repliesThatDoNotFitAreDropped(bytes: [UInt8]) {
    guard case .failure(.dropped) = ModbusRequest.read(.holding, address: 0, count: 2).response(from: bytes[...]) else {
      Issue.record("\(bytes) was taken")
      return
    }
  }

  /// Of a reply that breaks off, its missing end would be made of the first bytes of the next one.
  @Test(arguments: 1..<13) func aFrameThatBreaksOffIsNotFilledWithTheNext(lost: Int) throws {
    let torn = MBAPFrame(transaction: 10_948, unit: 1, pdu: [3, 4, 0xF5, 0xF7, 0xF6, 0xF8])
    let next = MBAPFrame(transaction: 10_949, unit: 1, pdu: [3, 4, 0x12, 0x34, 0x56, 0x78])
    var parser = MBAPFrameParser(isWary: true)
    parser.append(torn.bytes.dropLast(lost) + next.bytes)
    var found: [MBAPFrame] = []
    do throws(MBAPError) {
      while let frame = try parser.next() { found.append(frame) }
      #expect(parser.isInsideFrame, "the rest is waited for")
    } catch {}
    #expect(found.isEmpty)
  }

  @Test(arguments: 0..<100, [false, true])
  func framesComeOutWholeWhateverTheCuts(seed: UInt64, isWary: Bool) throws {
    var random = SplitMix64(seed: seed)
    let frames = (0..<20).map { _ in
      MBAPFrame(
        transaction: .random(in: 0 ... .max, using: &random), unit: .random(in: 0 ... .max, using: &random),
        pdu: (0..<Int.random(in: 1...253, using: &random)).map { _ in .random(in: 0 ... .max, using: &random) }[...])
    }
    var stream = frames.flatMap(\.bytes)[...]
    var parser = MBAPFrameParser(isWary: isWary)
    var received: [MBAPFrame] = []
    while !stream.isEmpty {
      let size = Int.random(in: 1...400, using: &random)
      parser.append(stream.prefix(size))
      stream = stream.dropFirst(size)
      while let frame = try parser.next() { received.append(frame) }
    }
    #expect(received.map { Array($0.pdu) } == frames.map { Array($0.pdu) })
    #expect(received.map(\.transaction) == frames.map(\.transaction))
    #expect(received.map(\.unit) == frames.map(\.unit))
  }

  /// Whatever a peer sends: the machine never crashes, never answers wrongly and completes each request once.
  @Test(arguments: 0..<200, LinkFraming.allCases)
  func garbageNeverPassesForAnAnswer(seed: UInt64, framing: LinkFraming) {
    var random = SplitMix64(seed: seed)
    var machine = LinkMachine(framing: framing, backoff: ReconnectBackoff(seed: seed))
    let requests: [ModbusRequest] = [
      .read(.holding, address: 0, count: 4), .read(.coil, address: 0, count: 9), .reportServerID,
      .readDeviceIdentification(code: 1, objectID: 0), .writeRegister(address: 3, value: 4),
    ]
    var completed: [UInt64: Int] = [:]
    var id: UInt64 = 0
    var now: Int64 = 0
    func handle(_ event: LinkMachine.Event) {
      now += 1_000_000
      carryOut(machine.handle(event, at: now))
    }
    func carryOut(_ directives: [LinkMachine.Directive]) {
      for directive in directives {
        switch directive {
        case .complete(let id, _, .success(let response)):
          // A random answer passes MBAP's checks about once in 2^32, a checksum once in 2^16.
          Issue.record("garbage was taken for \(response) to \(id)")
        case .complete(let id, _, .failure): completed[id, default: 0] += 1
        case .connect: handle(.connected)
        case .send, .disconnect, .abort: break
        }
      }
    }
    for _ in 0..<30 {
      id += 1
      let request = requests.randomElement(using: &random) ?? .reportServerID
      handle(.submit(LinkJob(id: id, request: request, unit: 1, timeout: .seconds(1))))
      var garbage = (0..<Int.random(in: 0...300, using: &random)).map { _ in
        UInt8.random(in: 0 ... .max, using: &random)
      }
      if Bool.random(using: &random), garbage.count > 9 {
        // Frames that look right, but for the transaction ID (TCP) or the checksum (RTU).
        let body: [UInt8] = [1, request.functionCode] + garbage.prefix(6)
        garbage = framing == .tcp ? [0x77, 0x77, 0, 0, 0, UInt8(body.count)] + body : body
      }
      handle(.received(garbage))
      now = max(now, machine.nextTick ?? now)
      handle(.tick)
      if Bool.random(using: &random) { handle(.connectionEnded) }
      now = max(now, machine.nextTick ?? now)
      handle(.tick)
    }
    handle(.close)
    #expect(completed.count == 30 && completed.values.allSatisfy { $0 == 1 })
  }

  /// Check value of CRC-16/MODBUS over "123456789" (reveng catalogue), and the frame of Modbus over Serial Line V1.02.
  @Test func checksumsAreModbusOnes() {
    #expect(RTUFrame.crc("123456789".utf8) == 0x4B37)
    #expect(RTUFrame.bytes(unit: 2, pdu: [7]) == [2, 7, 0x41, 0x12])
  }
}
