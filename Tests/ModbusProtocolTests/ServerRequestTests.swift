import DeviceKit
import ModbusProtocol
import Testing

/// A client's bytes, read as requests.
@Suite struct ServerRequestTests {
  @Test(arguments: [
    ModbusRequest.read(.coil, address: 0, count: 2000), .read(.discrete, address: 65_535, count: 1),
    .read(.holding, address: 65_411, count: 125), .read(.input, address: 7, count: 3),
    .writeCoil(address: 9, value: true), .writeCoil(address: 9, value: false),
    .writeRegister(address: 65_535, value: 0xFFFF),
    .writeCoils(address: 3, values: (0..<37).map { $0 % 3 == 0 }),
    .writeCoils(address: 0, values: [Bool](repeating: true, count: 1968)),
    .writeRegisters(address: 1, values: [0x1234]), .writeRegisters(address: 1, values: Array(0..<123)),
    .maskWrite(address: 4, and: 0xF2, or: 0x25),
    .readWriteRegisters(readAddress: 3, readCount: 6, writeAddress: 14, values: [255, 255, 255]),
    .readWriteRegisters(readAddress: 0, readCount: 125, writeAddress: 0, values: Array(0..<121)),
    .readDeviceIdentification(code: 4, objectID: 5),
  ]) func whatAClientSendsIsWhatTheServerReads(request: ModbusRequest) throws {
    #expect(try ModbusRequest(pdu: request.bytes[...]) == request)
    // However the bytes lie in a larger buffer.
    let padded = [9, 9] + request.bytes
    #expect(try ModbusRequest(pdu: padded[2...]) == request)
  }

  @Test(
    arguments: [
      ([], ModbusException.illegalFunction), ([0], .illegalFunction), ([7], .illegalFunction), ([17], .illegalFunction),
      ([0x83, 0, 0, 0, 1], .illegalFunction), ([43, 13, 1, 0], .illegalFunction), ([43], .illegalFunction),
      ([43, 14, 1], .illegalDataValue), ([3], .illegalDataValue), ([3, 0, 0, 0], .illegalDataValue),
      ([3, 0, 0, 0, 0], .illegalDataValue), ([3, 0, 0, 0, 126], .illegalDataValue),
      ([1, 0, 0, 7, 0xD1], .illegalDataValue), ([3, 0, 0, 0, 1, 0], .illegalDataValue),
      ([3, 0xFF, 0xFF, 0, 2], .illegalDataAddress), ([5, 0, 0, 0, 1], .illegalDataValue),
      ([5, 0, 0, 0xFF, 1], .illegalDataValue), ([6, 0, 0, 0], .illegalDataValue),
      ([15, 0, 0, 0, 9, 1, 1], .illegalDataValue), ([15, 0, 0, 0, 0, 0], .illegalDataValue),
      ([15, 0xFF, 0xF8, 0, 9, 2, 1, 1], .illegalDataAddress), ([16, 0, 0, 0, 1, 2, 0], .illegalDataValue),
      ([16, 0, 0, 0, 1, 3, 0, 0, 0], .illegalDataValue), ([16, 0, 0, 0, 0, 0], .illegalDataValue),
      ([16, 0, 0, 0, 124, 248] + [UInt8](repeating: 0, count: 247), .illegalDataValue),
      ([16, 0xFF, 0xFF, 0, 2, 4, 0, 0, 0, 0], .illegalDataAddress), ([22, 0, 0, 0, 0, 0], .illegalDataValue),
      ([23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0], .illegalDataValue),
      ([23, 0, 0, 0, 1, 0, 0, 0, 0, 0], .illegalDataValue),
      ([23, 0xFF, 0xFF, 0, 2, 0, 0, 0, 1, 2, 0, 0], .illegalDataAddress),
      ([23, 0, 0, 0, 2, 0xFF, 0xFF, 0, 2, 4, 0, 0, 0, 0], .illegalDataAddress),
    ] as [([UInt8], ModbusException)])
  func whatIsNoRequestIsAnsweredAsTheSpecificationSays(bytes: [UInt8], exception: ModbusException) {
    #expect(throws: exception) { try ModbusRequest(pdu: bytes[...]) }
  }

  /// Bytes by chance, a good part of them close to requests: an answer or an exception, and never more than fits a frame.
  @Test func anyBytesAreARequestOrNone() throws {
    let board = ServerInteropTests.board()
    var image = ServedImage(try ServedMap(ServerInteropTests.specification(), path: "p")) { board.point(of: $0) }
    var good = 0
    for round in 0..<200_000 {
      var bytes = (0..<Int.random(in: 0...14)).map { _ in UInt8.random(in: 0...255) }
      if round % 4 == 1 {
        // A whole request of five bytes, within reach of what there is.
        bytes = [.random(in: 1...6), 0, .random(in: 0...127), 0, .random(in: 0...20)]
      } else if round % 2 == 0, bytes.count > 5 {
        bytes[0] = [1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43].randomElement() ?? 3
        (bytes[1], bytes[3]) = (0, 0)
        bytes[2] &= 0x7F
      }
      guard let request = try? ModbusRequest(pdu: bytes[...]) else { continue }
      good += 1
      let look = ServedImage.Look(version: UInt64(round), seconds: round) { board.states(of: $0) }
      switch request {
      case .read(let table, let address, let count):
        let words = try? image.read(table, Int(address)..<Int(address) + Int(count), look)
        #expect(words == nil || words?.count == Int(count))
      case .writeRegister(let address, let value):
        _ = try? image.wishes(for: ServedWrite(.holding, Int(address), [value]), look)
      case .writeRegisters(let address, let values):
        _ = try? image.wishes(for: ServedWrite(.holding, Int(address), values), look)
      case .writeCoils(let address, let values):
        _ = try? image.wishes(for: ServedWrite(.coil, Int(address), values.map { $0 ? 1 : 0 }), look)
      case .maskWrite(let address, let and, let or):
        _ = try? image.wishes(for: ServedWrite(.holding, Int(address), [or], masks: [~and]), look)
      default: break
      }
    }
    #expect(good > 10_000)
  }
}
