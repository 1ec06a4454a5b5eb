/// A Modbus TCP request taken apart: what it would read and write (Modbus Application Protocol V1.1b3, section 6).
struct ModbusRequest: Equatable {
  enum Effect: Equatable {
    case read(RegisterTable, Range<Int>)
    case write(RegisterWrite)
    case maskWrite(address: Int, and: UInt16, or: UInt16)
    case writeThenRead(RegisterWrite, Range<Int>)
    case reportServerID
    /// Function code 43; the bytes after it.
    case encapsulated([UInt8])
    /// Neither the plant nor libmodbus knows the function code.
    case unknown
    /// The function is known, its length or quantity is wrong.
    case malformed
  }

  var unit: UInt8
  var function: UInt8
  var effect: Effect

  /// `frame` is a whole ADU: seven bytes of MBAP header, then at least a function code.
  init(frame: [UInt8]) {
    unit = frame[6]
    function = frame[7]
    effect = Self.effect(of: frame[7], frame[8...])
  }

  private static func effect(of function: UInt8, _ body: ArraySlice<UInt8>) -> Effect {
    func word(_ offset: Int) -> Int {
      Int(body[body.startIndex + offset]) << 8 | Int(body[body.startIndex + offset + 1])
    }
    func words(from offset: Int, count: Int) -> [UInt16] { (0..<count).map { UInt16(word(offset + 2 * $0)) } }
    switch function {
    case 1...4:
      let table: RegisterTable = [.coil, .discrete, .holding, .input][Int(function) - 1]
      guard body.count == 4, (1...(table.isBit ? 2_000 : 125)).contains(word(2)) else { return .malformed }
      return .read(table, word(0)..<word(0) + word(2))
    case 5:
      guard body.count == 4, word(2) == 0 || word(2) == 0xFF00 else { return .malformed }
      return .write(RegisterWrite(table: .coil, address: word(0), values: [word(2) == 0 ? 0 : 1]))
    case 6:
      guard body.count == 4 else { return .malformed }
      return .write(RegisterWrite(table: .holding, address: word(0), values: [UInt16(word(2))]))
    case 15:
      guard body.count >= 6, (1...1_968).contains(word(2)), body.count == 5 + (word(2) + 7) / 8,
        Int(body[body.startIndex + 4]) == (word(2) + 7) / 8
      else { return .malformed }
      let bits = (0..<word(2)).map { UInt16(body[body.startIndex + 5 + $0 / 8] >> UInt8($0 % 8) & 1) }
      return .write(RegisterWrite(table: .coil, address: word(0), values: bits))
    case 16:
      guard body.count >= 7, (1...123).contains(word(2)), body.count == 5 + 2 * word(2),
        Int(body[body.startIndex + 4]) == 2 * word(2)
      else { return .malformed }
      return .write(RegisterWrite(table: .holding, address: word(0), values: words(from: 5, count: word(2))))
    case 17: return body.isEmpty ? .reportServerID : .malformed
    case 22:
      guard body.count == 6 else { return .malformed }
      return .maskWrite(address: word(0), and: UInt16(word(2)), or: UInt16(word(4)))
    case 23:
      guard body.count >= 11, (1...125).contains(word(2)), (1...121).contains(word(6)),
        body.count == 9 + 2 * word(6), Int(body[body.startIndex + 8]) == 2 * word(6)
      else { return .malformed }
      let write = RegisterWrite(table: .holding, address: word(4), values: words(from: 9, count: word(6)))
      return .writeThenRead(write, word(0)..<word(0) + word(2))
    case 43: return .encapsulated(Array(body))
    default: return .unknown
    }
  }

  /// The addresses that the request touches; nil where it touches none.
  var addresses: Range<Int>? {
    switch effect {
    case .read(_, let range): range
    case .write(let write): write.addresses
    case .maskWrite(let address, _, _): address..<address + 1
    case .writeThenRead(let write, let range):
      min(write.address, range.lowerBound)..<max(write.addresses.upperBound, range.upperBound)
    case .reportServerID, .encapsulated, .unknown, .malformed: nil
    }
  }
}

/// Cuts a TCP stream into Modbus frames by the length in the MBAP header (Modbus Messaging on TCP/IP V1.0b, section 3).
struct ModbusFrameSplitter {
  private var bytes: [UInt8] = []
  /// The stream is no Modbus TCP: a protocol identifier other than 0, or a length outside 2...254.
  private(set) var isBroken = false

  mutating func append(_ received: some Collection<UInt8>) { bytes.append(contentsOf: received) }

  /// The next whole frame, header included; nil until more bytes come.
  mutating func next() -> [UInt8]? {
    guard !isBroken, bytes.count >= 8 else { return nil }
    let length = Int(bytes[4]) << 8 | Int(bytes[5])
    guard bytes[2] == 0, bytes[3] == 0, (2...254).contains(length) else {
      isBroken = true
      return nil
    }
    guard bytes.count >= 6 + length else { return nil }
    let frame = Array(bytes[..<(6 + length)])
    bytes.removeFirst(6 + length)
    return frame
  }
}
