import DeviceKit
import Documents
import ModbusProtocol
import Testing

@Suite struct UnitInterviewTests {
  /// Asks a device that `answer` plays; the requests in their order.
  @discardableResult
  private func hold(
    _ interview: inout UnitInterview, _ answer: (ModbusRequest) -> Result<ModbusResponse, ModbusError>
  ) -> [ModbusRequest] {
    var requests: [ModbusRequest] = []
    while let request = interview.request, requests.count < 1_000 {
      requests.append(request)
      interview.take(answer(request))
    }
    return requests
  }

  private func page(
    _ code: UInt8, _ objects: [UInt8: String], conformity: UInt8 = 0x83, next: UInt8? = nil
  ) -> Result<ModbusResponse, ModbusError> {
    .success(
      .identification(
        DeviceIdentificationPage(
          code: code, conformity: conformity, nextObjectID: next, objects: objects.mapValues { Array($0.utf8) })))
  }

  @Test func allThreeStreamsAreReadAndEachIsContinued() {
    let objects: [UInt8: String] = [
      0: "Example Works", 1: "BC-4", 2: "2.1", 3: "https://example.com", 4: "Boiler", 5: "BC-4 large", 6: "hall 3",
      0x80: "S-1", 0x81: "", 0xFF: "last",
    ]
    var interview = UnitInterview()
    let requests = hold(&interview) { request in
      guard case .readDeviceIdentification(let code, let from) = request else {
        return .failure(.exception(.illegalFunction))
      }
      // One object a reply.
      let known = objects.keys.filter { $0 >= from && $0 <= [2, 6, 0xFF][Int(code) - 1] }.sorted()
      return page(code, [known[0]: objects[known[0]] ?? ""], next: known.count > 1 ? known[1] : nil)
    }
    #expect(
      interview.identity == [
        "vendorName": "Example Works", "productCode": "BC-4", "revision": "2.1", "productName": "Boiler",
        "modelName": "BC-4 large", "applicationName": "hall 3", "object128": "S-1", "object255": "last",
      ])
    #expect(requests.filter { $0.functionCode == 43 }.count == objects.count)
    #expect(interview.ending == .found && interview.chain == nil)
  }

  @Test func theExtendedStreamIsAskedForWhereThereIsOne() {
    for (conformity, streams) in [(1, [1, 2]), (0x82, [1, 2]), (3, [1, 2, 3])] as [(UInt8, [UInt8])] {
      var interview = UnitInterview()
      let requests = hold(&interview) { request in
        guard case .readDeviceIdentification(let code, let from) = request else {
          return .failure(.exception(.illegalFunction))
        }
        return page(code, [from: "x"], conformity: conformity)
      }
      #expect(
        requests.compactMap { if case .readDeviceIdentification(let code, _) = $0 { code } else { nil } } == streams)
    }
  }

  @Test(arguments: [0, 1, 0x80] as [UInt8]) func aStreamThatDoesNotAdvanceIsLeft(next: UInt8) {
    var interview = UnitInterview()
    let requests = hold(&interview) { request in
      guard case .readDeviceIdentification(let code, _) = request else { return .failure(.exception(.illegalFunction)) }
      return page(code, [0: "A"], next: next)
    }
    #expect(requests.filter { $0.functionCode == 43 }.count <= 5)
    #expect(interview.identity["vendorName"] == "A")
  }

  @Test func aUnitThatTellsNothingIsAskedForItsServerID() {
    var interview = UnitInterview()
    let requests = hold(&interview) { request in
      request == .reportServerID
        ? .success(.serverID([0x07] + Array("ACME 200".utf8) + [0xFF])) : .failure(.exception(.illegalDataAddress))
    }
    #expect(interview.identity == ["serverID": "ACME 200"])
    #expect(requests.map(\.functionCode) == [43, 3, 3, 3, 17])
  }

  @Test func silenceAndGatewaysEndTheInterviewSoon() {
    func ending(_ error: ModbusError) -> (UnitInterview.Ending?, Int) {
      var interview = UnitInterview()
      let requests = hold(&interview) { _ in .failure(error) }
      return (interview.ending, requests.count)
    }
    #expect(ending(.timeout(after: .seconds(1), dropped: nil)) == (.silent, 2))
    #expect(ending(.exception(.gatewayTargetFailedToRespond)) == (.gatewayWithoutUnit, 1))
    #expect(ending(.connectionLost) == (.unreachable(.connectionLost), 1))
    #expect(ending(.exception(.illegalFunction)) == (.found, 5), "an exception of its own proves a unit")
  }

  @Test func aUnitThatFallsSilentIsStillFound() {
    let image = SunSpecImage(models: [(1, SunSpecImage.common("M", "D", "1", "S"))])
    var interview = UnitInterview()
    var asked = 0
    hold(&interview) { request in
      asked += 1
      guard asked < 5, case .read(_, let address, let count) = request,
        let words = image.read(Int(address), Int(count))
      else { return asked < 5 ? .failure(.exception(.illegalFunction)) : .failure(.connectionLost) }
      return .success(.registers(words))
    }
    #expect(interview.ending == .found && interview.identity["serialNumber"] == "S")
    #expect(interview.chain?.fault == "the device stopped answering")
  }

  /// Replies of random bytes and of good frames bent out of shape: no crash, an end, bounded texts.
  @Test(arguments: 0..<8) func noReplyLeadsTheInterviewAstray(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for round in 0..<500 {
      var interview = UnitInterview()
      var requests = 0
      while let request = interview.request {
        requests += 1
        guard requests <= UnitInterview.mostRequests else { break }
        let pdu = reply(to: request, using: &random)
        switch request.response(from: pdu[...]) {
        case .success(let response): interview.take(.success(response))
        case .failure(.exception(let exception)): interview.take(.failure(.exception(exception)))
        case .failure(.dropped(let cause)): interview.take(.failure(.timeout(after: .seconds(1), dropped: cause)))
        }
      }
      #expect(interview.ending != nil && requests <= UnitInterview.mostRequests, "seed \(seed), round \(round)")
      #expect(interview.identity.count <= 24)
      #expect(interview.identity.values.allSatisfy { $0.utf8.count <= 384 })
    }
  }

  private func reply(to request: ModbusRequest, using random: inout SplitMix64) -> [UInt8] {
    func bytes(_ count: Int, using random: inout SplitMix64) -> [UInt8] {
      (0..<count).map { _ in .random(in: .min ... .max, using: &random) }
    }
    if Int.random(in: 0..<40, using: &random) == 0 {
      return [request.functionCode | 0x80, .random(in: 0...12, using: &random)]
    }
    var pdu: [UInt8]
    switch request {
    case .read(_, let address, let count):
      var words = (0..<count).map { _ in UInt16.random(in: 0...300, using: &random) }
      if count == 2, SunSpecWalk.bases.contains(address) { words = SunSpecWalk.marker }
      pdu = [3, UInt8(truncatingIfNeeded: count * 2)] + words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    case .readDeviceIdentification(let code, let object):
      pdu = [43, 14, code, .random(in: 0...0x83, using: &random), Bool.random(using: &random) ? 0xFF : 0]
      let number = UInt8.random(in: 0...6, using: &random)
      pdu += [.random(in: .min ... .max, using: &random), number]
      for index in 0..<number {
        let length = Int.random(in: 0...40, using: &random)
        pdu += [object &+ index, UInt8(length)] + bytes(length, using: &random)
      }
    default: pdu = [17, 12] + bytes(12, using: &random)
    }
    switch Int.random(in: 0..<30, using: &random) {
    case 0: pdu.removeLast(Int.random(in: 1...pdu.count, using: &random))
    case 1: pdu += bytes(Int.random(in: 1...300, using: &random), using: &random)
    case 2: pdu[Int.random(in: 0..<pdu.count, using: &random)] = .random(in: .min ... .max, using: &random)
    case 3: pdu = bytes(Int.random(in: 0...260, using: &random), using: &random)
    default: break
    }
    return pdu
  }

  private func serialNumber(_ type: PropertyType, _ binding: JSONValue) -> IdentifyingModel {
    IdentifyingModel(manufacturer: "Example Works", model: "PC-2", serialNumber: property("serial", type, binding))
  }

  @Test(
    arguments: [
      (PropertyType.string, ["encoding": "string", "registers": 3], [0x5331, 0x3220, 0], "S12"),
      (.string, ["encoding": "string", "registers": 2], [0, 0], nil),
      (.string, ["encoding": "string", "registers": 2], [0xFFFF, 0xFFFF], nil),
      (.string, ["encoding": "string", "registers": 2], [0x3030, 0x3030], nil),
      (.integer, ["encoding": "uint32", "order": "ABCD"], [0x0001, 0x0002], "65538"),
      (.integer, ["encoding": "uint32", "order": "ABCD"], [0, 0], nil),
      (.integer, ["encoding": "uint16", "notAvailable": [9]], [9], nil), (.integer, ["encoding": "uint16"], [], nil),
    ] as [(PropertyType, JSONValue, [UInt16], String?)])
  func aSerialNumberIsReadWhereTheModelSaysSo(type: PropertyType, binding: JSONValue, said: [UInt16], text: String?) {
    var binding = binding
    binding["table"] = "input"
    binding["address"] = 100
    let model = serialNumber(type, binding)
    var interview = UnitInterview { identity in
      identity["vendorName"] == "Example Works" ? SerialNumberRead(model) : nil
    }
    let requests = hold(&interview) { request in
      switch request {
      case .readDeviceIdentification(1, _): page(1, [0: "Example Works", 1: "PC-2"], conformity: 1)
      case .read(.input, 100, _) where !said.isEmpty: .success(.registers(said))
      default: .failure(.exception(.illegalDataAddress))
      }
    }
    #expect(requests.last?.functionCode == 4 && requests.count { $0.functionCode == 4 } == 1)
    #expect(interview.identity["serialNumber"] == text && interview.told["serialNumber"] == nil)
    #expect(interview.asked?.model == model && interview.ending == .found)
  }

  @Test func whatNoModelFitsOrTellsItsSerialNumberItselfIsNotAsked() {
    let model = serialNumber(.integer, ["table": "holding", "address": 100])
    var stranger = UnitInterview { $0["vendorName"] == "Example Works" ? SerialNumberRead(model) : nil }
    hold(&stranger) { _ in .failure(.exception(.illegalFunction)) }
    #expect(stranger.asked == nil && stranger.ending == .found)
    let image = SunSpecImage(models: [(1, SunSpecImage.common("Sunny Works", "SW-10K", "1.4", "S-0815"))])
    var inverter = UnitInterview { _ in SerialNumberRead(model) }
    let requests = hold(&inverter) { request in
      guard case .read(_, let address, let count) = request, let registers = image.read(Int(address), Int(count)) else {
        return .failure(.exception(.illegalDataAddress))
      }
      return .success(.registers(registers))
    }
    #expect(inverter.identity["serialNumber"] == "S-0815" && inverter.asked == nil)
    #expect(!requests.contains(.read(.holding, address: 100, count: 1)))
    #expect(SerialNumberRead(serialNumber(.boolean, ["table": "coil", "address": 1])) == nil)
  }
}
