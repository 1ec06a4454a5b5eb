extension ModbusRequest {
  /// Reads a request's protocol data unit. Throws exception 1 for a function that servers of this program do not have, 3 for
  /// a length or count that the function does not have, 2 where the addresses lead past 65535 (Modbus Application
  /// Protocol V1.1b3, the state diagrams of section 6).
  package init(pdu: ArraySlice<UInt8>) throws(ModbusException) {
    guard let code = pdu.first else { throw .illegalFunction }
    let body = pdu.dropFirst()
    func word(_ offset: Int) -> UInt16 {
      UInt16(body[body.startIndex + offset]) << 8 | UInt16(body[body.startIndex + offset + 1])
    }
    func wants(_ condition: Bool) throws(ModbusException) {
      guard condition else { throw .illegalDataValue }
    }
    func wantsRoom(_ address: UInt16, _ count: Int) throws(ModbusException) {
      guard Int(address) + count <= 65_536 else { throw .illegalDataAddress }
    }
    func words(from offset: Int, _ count: Int) -> [UInt16] { (0..<count).map { word(offset + $0 * 2) } }
    switch code {
    case 1, 2, 3, 4:
      try wants(body.count == 4)
      let table: RegisterTable = code == 1 ? .coil : code == 2 ? .discrete : code == 3 ? .holding : .input
      try wants((1...table.maximumReadCount).contains(Int(word(2))))
      try wantsRoom(word(0), Int(word(2)))
      self = .read(table, address: word(0), count: word(2))
    case 5:
      try wants(body.count == 4 && (word(2) == 0xFF00 || word(2) == 0))
      self = .writeCoil(address: word(0), value: word(2) != 0)
    case 6:
      try wants(body.count == 4)
      self = .writeRegister(address: word(0), value: word(2))
    case 15:
      try wants(body.count >= 6)
      let count = Int(word(2))
      try wants((1...Self.maximumCoilsPerWrite).contains(count))
      let bytes = body.dropFirst(5)
      try wants(Int(body[body.startIndex + 4]) == (count + 7) / 8 && bytes.count == (count + 7) / 8)
      try wantsRoom(word(0), count)
      self = .writeCoils(
        address: word(0),
        values: (0..<count).map { bytes[bytes.startIndex + $0 / 8] >> UInt8($0 % 8) & 1 == 1 })
    case 16:
      try wants(body.count >= 6)
      let count = Int(word(2))
      try wants((1...Self.maximumRegistersPerWrite).contains(count))
      try wants(Int(body[body.startIndex + 4]) == count * 2 && body.count == 5 + count * 2)
      try wantsRoom(word(0), count)
      self = .writeRegisters(address: word(0), values: words(from: 5, count))
    case 22:
      try wants(body.count == 6)
      self = .maskWrite(address: word(0), and: word(2), or: word(4))
    case 23:
      try wants(body.count >= 10)
      let (reads, writes) = (Int(word(2)), Int(word(6)))
      try wants((1...125).contains(reads) && (1...121).contains(writes))
      try wants(Int(body[body.startIndex + 8]) == writes * 2 && body.count == 9 + writes * 2)
      try wantsRoom(word(0), reads)
      try wantsRoom(word(4), writes)
      self = .readWriteRegisters(
        readAddress: word(0), readCount: word(2), writeAddress: word(4), values: words(from: 9, writes))
    case 43:
      // Another type of encapsulated interface is a function that is not there (section 6.19).
      guard body.first == 0x0E else { throw .illegalFunction }
      try wants(body.count == 3)
      self = .readDeviceIdentification(
        code: body[body.startIndex + 1], objectID: body[body.startIndex + 2])
    default: throw .illegalFunction
    }
  }
}
