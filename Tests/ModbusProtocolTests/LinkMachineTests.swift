import ModbusProtocol
import Testing

@Suite struct LinkMachineTests {
  /// A machine whose directives are kept, with a clock of its own.
  private struct Bench {
    var machine: LinkMachine
    var now: Int64 = 0
    var sent: [[UInt8]] = []
    var done: [UInt64: Result<ModbusResponse, ModbusError>] = [:]
    var connects = 0
    var disconnects = 0

    init(_ framing: LinkFraming = .tcp, _ timing: LinkTiming = LinkTiming()) {
      machine = LinkMachine(framing: framing, backoff: ReconnectBackoff(seed: 1))
      handle(.adapt(timing))
    }

    mutating func handle(_ event: LinkMachine.Event) {
      for directive in machine.handle(event, at: now) {
        switch directive {
        case .connect: connects += 1
        case .send(let bytes): sent.append(bytes)
        case .disconnect, .abort: disconnects += 1
        case .complete(let id, _, let result): done[id] = result
        }
      }
    }

    mutating func pass(_ duration: Duration) {
      now += Int64(duration / .nanoseconds(1))
      handle(.tick)
    }

    mutating func submit(_ id: UInt64, address: UInt16 = 0, count: UInt16 = 1, unit: UInt8 = 1) {
      handle(
        .submit(
          LinkJob(
            id: id, request: .read(.holding, address: address, count: count), unit: unit, timeout: .seconds(1))))
    }

    /// The answer to the `index`-th frame sent, every register holding `value`.
    func answer(to index: Int, value: UInt8 = 7) -> [UInt8] {
      let frame = sent[index]
      let isTCP = machine.isTCP
      let count = isTCP ? frame[11] : frame[5]
      let pdu: [UInt8] = [3, count * 2] + (0..<Int(count)).flatMap { _ in [0, value] }
      return isTCP
        ? Array(frame[0..<4]) + [0, UInt8(pdu.count + 1), frame[6]] + pdu : RTUFrame.bytes(unit: frame[0], pdu: pdu)
    }

    func value(_ id: UInt64) -> UInt16? {
      if case .success(.registers(let registers)) = done[id] { registers.first } else { nil }
    }
  }

  @Test func oneRequestIsInFlightUnlessAWindowIsGiven() {
    var bench = Bench()
    bench.submit(1)
    bench.submit(2)
    bench.handle(.connected)
    #expect(bench.sent.count == 1)
    bench.handle(.received(bench.answer(to: 0)))
    #expect(bench.sent.count == 2 && bench.value(1) == 7)
  }

  @Test func aWindowIsFilledAndAnswersMayComeInAnyOrder() {
    var bench = Bench(.tcp, LinkTiming(maxInFlight: 3))
    for id in 1...4 { bench.submit(UInt64(id)) }
    bench.handle(.connected)
    #expect(bench.sent.count == 3)
    bench.handle(.received(bench.answer(to: 2, value: 3)))
    bench.handle(.received(bench.answer(to: 0, value: 1) + bench.answer(to: 1, value: 2)))
    #expect(bench.sent.count == 4)
    #expect((1...3).map { bench.value($0) } == [1, 2, 3])
  }

  @Test func theSmallestWindowAndTheLongestPausesThatDevicesAskForHold() {
    let joined = LinkTiming(maxInFlight: 8, pauseBetweenRequests: .milliseconds(5), shortestPeriod: .seconds(2))
      .joined(with: LinkTiming(maxInFlight: 2, pauseAfterConnect: .seconds(1), shortestPeriod: .seconds(9)))
      .joined(with: LinkTiming())
    #expect(
      joined
        == LinkTiming(
          maxInFlight: 2, pauseAfterConnect: .seconds(1), pauseBetweenRequests: .milliseconds(5),
          shortestPeriod: .seconds(2)))
    #expect(joined.reconnectLimit == .seconds(2))
  }

  @Test func pausesAreKeptAfterConnectingAndBetweenRequests() {
    var bench = Bench(
      .tcp, LinkTiming(pauseAfterConnect: .milliseconds(300), pauseBetweenRequests: .milliseconds(50)))
    bench.submit(1)
    bench.submit(2)
    bench.handle(.connected)
    #expect(bench.sent.isEmpty)
    #expect(bench.machine.nextTick == 300_000_000)
    bench.pass(.milliseconds(300))
    #expect(bench.sent.count == 1)
    bench.now += 20_000_000
    bench.handle(.received(bench.answer(to: 0)))
    #expect(bench.sent.count == 1, "the pause runs from the answer")
    bench.pass(.milliseconds(49))
    #expect(bench.sent.count == 1)
    bench.pass(.milliseconds(1))
    #expect(bench.sent.count == 2)
  }

  /// Modbus/TCP has no checksum: without its end, an answer would be filled up with the head of the late one.
  @Test(arguments: 1...4) func anAnswerThatBreaksOffIsNotFilledUpWithALateOne(lost: Int) throws {
    var bench = Bench()
    bench.submit(1)
    bench.handle(.connected)
    bench.pass(.seconds(1))
    bench.submit(2, count: 2)
    try #require(bench.sent.count == 2)
    bench.handle(.received(bench.answer(to: 1).dropLast(lost) + bench.answer(to: 0)))
    bench.pass(.seconds(1))
    if case .success(let response) = bench.done[2] { Issue.record("\(response) was made of two answers") }
    #expect(bench.done[2] != nil)
  }

  @Test func lateAndDoubleAnswersAreDroppedAndTellApartFromWrongOnes() {
    var bench = Bench()
    bench.submit(1)
    bench.handle(.connected)
    bench.pass(.seconds(1))
    #expect(bench.done[1] == .failure(.timeout(after: .seconds(1), dropped: nil)))
    bench.submit(2)
    bench.handle(.received(bench.answer(to: 0, value: 66)))
    #expect(bench.done[2] == nil && bench.machine.counters.dropped == ["Late": 1])
    bench.handle(.received(bench.answer(to: 1, value: 5) + bench.answer(to: 1, value: 5)))
    #expect(bench.value(2) == 5 && bench.machine.counters.dropped == ["Late": 2])
    var foreign = bench.answer(to: 1)
    foreign[0] = 0x77
    bench.handle(.received(foreign))
    #expect(bench.machine.counters.dropped == ["Late": 2, "WrongTransaction": 1])
    #expect(bench.machine.counters.timeouts == 1 && bench.disconnects == 0)
  }

  @Test func threeTimeoutsInARowReplaceTheConnection() {
    var bench = Bench()
    for id in 1...3 {
      bench.submit(UInt64(id))
      if id == 1 { bench.handle(.connected) }
      bench.pass(.seconds(1))
    }
    #expect(bench.disconnects == 1 && bench.machine.counters.disconnects == 1)
    bench.submit(4)
    #expect(bench.connects == 2)
  }

  @Test func aWindowSurvivesAConnectionThatEndsButWritesAreNotRepeated() {
    var bench = Bench(.tcp, LinkTiming(maxInFlight: 4))
    bench.submit(1)
    bench.handle(.connected)
    bench.handle(.received(bench.answer(to: 0)))
    bench.submit(2)
    bench.submit(3)
    bench.handle(.connectionEnded)
    #expect(bench.done.count == 1 && bench.connects == 2)
    bench.handle(.connected)
    #expect(bench.sent.count == 5, "both reads went out again")
    bench.handle(.received(bench.answer(to: 3) + bench.answer(to: 4)))
    #expect(bench.value(2) == 7 && bench.value(3) == 7)
    bench.handle(
      .submit(LinkJob(id: 5, request: .writeRegister(address: 1, value: 1), unit: 1, timeout: .seconds(1))))
    bench.handle(.connectionEnded)
    #expect(bench.done[5] == .failure(.connectionLost))
  }

  // MARK: Without transaction IDs

  @Test func aLateRTUReplyIsNeverTakenForTheNextAnswer() {
    var bench = Bench(.rtu)
    bench.submit(1, address: 0, count: 2)
    bench.handle(.connected)
    bench.pass(.seconds(1))
    bench.submit(2, address: 100, count: 2)
    #expect(bench.sent.count == 2)
    #expect(bench.sent[1][5] != 2, "a probe of another size goes first")
    bench.handle(.received(bench.answer(to: 0, value: 66)))
    #expect(bench.done[2] == nil)
    bench.handle(.received(bench.answer(to: 1)))
    #expect(bench.sent.count == 3 && Array(bench.sent[2][2...5]) == [0, 100, 0, 2])
    bench.handle(.received(bench.answer(to: 2, value: 5)))
    #expect(bench.value(2) == 5 && bench.machine.counters.probes == 1)
    bench.submit(3, address: 0, count: 2)
    #expect(bench.sent.count == 4 && bench.sent[3][5] == 2, "the unit has answered in order: nothing is owed any more")
  }

  @Test func aRequestThatCannotBeMistakenNeedsNoProbe() {
    var bench = Bench(.rtu)
    bench.submit(1, count: 2)
    bench.handle(.connected)
    bench.pass(.seconds(1))
    bench.submit(2, count: 9)
    #expect(bench.sent[1][5] == 9)
    bench.handle(.received(bench.answer(to: 0, value: 66)))
    #expect(bench.done[2] == nil)
    bench.handle(.received(bench.answer(to: 1, value: 5)))
    #expect(bench.value(2) == 5)
    bench.pass(.seconds(9))
    bench.submit(3, count: 2, unit: 2)
    #expect(bench.sent[2][0] == 2 && bench.sent[2][5] == 2)
  }

  @Test func whatIsOwedIsForgottenInTime() {
    var owed = OwedReplies()
    let request = ModbusRequest.read(.coil, address: 0, count: 10)
    owed.giveUp(request, unit: 1, until: 100)
    let like = owed.probe(before: .read(.coil, address: 50, count: 15), unit: 1, at: 50)
    let ofAnother = owed.probe(before: request, unit: 2, at: 50)
    let later = owed.probe(before: request, unit: 1, at: 100)
    #expect(like != nil && ofAnother == nil && later == nil)
  }

  @Test func anExceptionLeavesOneReplyOwed() throws {
    var owed = OwedReplies()
    let request = ModbusRequest.read(.holding, address: 0, count: 10)
    owed.giveUp(request, unit: 1, until: 100)
    let first = owed.probe(before: request, unit: 1, at: 1)
    let probe = try #require(first)
    owed.answered(probe, unit: 1, isException: true, until: 100)
    let again = owed.probe(before: request, unit: 1, at: 1)
    #expect(again == nil, "the exception was the request's or the probe's")
    let other = owed.probe(before: probe, unit: 1, at: 1)
    #expect(other != nil, "the probe's reply may still come")
  }

  @Test func bytesBehindAnRTUAnswerAreNotTheNextOnes() {
    var bench = Bench(.rtu)
    bench.submit(1, address: 0)
    bench.submit(2, address: 9)
    bench.handle(.connected)
    bench.handle(.received(bench.answer(to: 0, value: 1) + bench.answer(to: 0, value: 1)))
    #expect(bench.value(1) == 1 && bench.done[2] == nil)
    bench.handle(.received(bench.answer(to: 1, value: 2)))
    #expect(bench.value(2) == 2)
  }

  // MARK: Rules beside the link

  @Test(arguments: [
    (ModbusError.exception(.acknowledge), true, [100, 200, 400]), (.exception(.acknowledge), false, []),
    (.exception(.serverDeviceBusy), true, [100, 200, 400]), (.exception(.serverDeviceBusy), false, [100, 200, 400]),
    (.exception(.memoryParityError), true, [0]), (.exception(.memoryParityError), false, []),
    (.exception(.illegalFunction), true, []), (.exception(.illegalDataAddress), true, []),
    (.exception(.illegalDataValue), true, []), (.exception(.serverDeviceFailure), true, []),
    (.exception(.gatewayPathUnavailable), true, []), (.exception(.gatewayTargetFailedToRespond), true, []),
    (.timeout(after: .seconds(1), dropped: nil), true, [0, 0]), (.timeout(after: .seconds(1), dropped: nil), false, []),
    (.connectionLost, true, []),
  ])
  func requestsAreRepeatedByHowTheyEnded(error: ModbusError, isRead: Bool, pauses: [Int]) {
    let request: ModbusRequest =
      isRead ? .read(.holding, address: 0, count: 1) : .writeRegister(address: 0, value: 1)
    var policy = RetryPolicy(request, retries: 2)
    var seen: [Int] = []
    while let pause = policy.pause(after: error), seen.count < 10 { seen.append(Int(pause / .milliseconds(1))) }
    #expect(seen == pauses)
  }

  @Test func aSilentUnitIsLeftAloneForGrowingSpans() {
    var silence = SilenceBackoff()
    var pauses: [Int64] = []
    for _ in 0..<7 {
      silence.silent(for: .seconds(1), at: 0)
      pauses.append(silence.until / 1_000_000_000)
    }
    #expect(pauses == [2, 4, 8, 16, 30, 30, 30])
    silence.heard()
    silence.silent(for: .seconds(1), at: 0)
    #expect(silence.until == 2_000_000_000)
  }

  @Test func groupsGrowStaleAfterThreePeriodsAndAreToldOnce() {
    var ages = ReadAges(periods: [.seconds(1), .seconds(10)])
    func stale(_ time: Int64) -> [Int] { ages.takeStale(at: time).map(\.group) }
    #expect(stale(90_000_000_000) == [], "what was never read is not stale")
    ages.read(0, from: 0, to: 100_000_000)
    ages.read(1, from: 0, to: 100_000_000)
    #expect(stale(3_000_000_000) == [])
    #expect(stale(3_200_000_000) == [0])
    #expect(stale(5_000_000_000) == [])
    ages.read(0, from: 5_000_000_000, to: 9_000_000_000)
    #expect(stale(20_000_000_000) == [], "a read of 4 s is stale after 12")
    #expect(stale(22_000_000_000) == [0])
  }

  @Test func pollsKeepAFixedRateAndCountWhatTheyMiss() {
    var schedule = PollSchedule(periods: [.milliseconds(100), .seconds(1)], start: 7, jitter: 0.5)
    #expect(schedule.next == 10_000_000, "half of a tenth of the period, at the next multiple of 5 ms")
    #expect(schedule.take(at: 10_000_000) == [0])
    #expect(schedule.take(at: 60_000_000) == [1], "the longer one has its own spread")
    #expect(schedule.next == 110_000_000 && schedule.overruns == 0)
    #expect(schedule.take(at: 345_000_000) == [0])
    #expect(schedule.next == 410_000_000 && schedule.overruns == 2, "what was missed is left out, the grid stays")
  }
}
