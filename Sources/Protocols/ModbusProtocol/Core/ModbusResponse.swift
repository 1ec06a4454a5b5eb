/// What a device answered to a ``ModbusRequest``.
public enum ModbusResponse: Sendable, Hashable {
  case bits([Bool])
  case registers([UInt16])
  /// The device took the write.
  case written
  /// FC 17: what the server says of itself, device specific, with its run indicator at the end.
  case serverID([UInt8])
  case identification(DeviceIdentificationPage)
}

extension ModbusRequest {
  /// Reads `pdu`, function code first, as the answer to this request. Throws the exception that it carries, or says
  /// why it is not the answer: every length and echo is checked.
  public func response(from pdu: ArraySlice<UInt8>) -> Result<ModbusResponse, ReplyFault> {
    guard let function = pdu.first else { return .failure(.dropped(.malformed("an empty reply"))) }
    let body = pdu.dropFirst()
    if function == functionCode | 0x80 {
      guard body.count == 1, let code = body.first else {
        return .failure(.dropped(.malformed("an exception reply of \(pdu.count) bytes")))
      }
      return .failure(.exception(ModbusException(code: code)))
    }
    guard function == functionCode else {
      return .failure(.dropped(.wrongFunction(expected: functionCode, received: function)))
    }
    switch self {
    case .read(let table, _, let count):
      return table.holdsBits ? Self.bits(body, count: Int(count)) : Self.registers(body, count: Int(count))
    case .readWriteRegisters(_, let count, _, _): return Self.registers(body, count: Int(count))
    case .writeCoil, .writeRegister, .maskWrite: return Self.echo(body, of: bytes[1...])
    case .writeCoils, .writeRegisters: return Self.echo(body, of: bytes[1..<5])
    case .reportServerID:
      guard let length = body.first, Int(length) == body.count - 1 else { return Self.wrongLength(body) }
      return .success(.serverID(Array(body.dropFirst())))
    case .readDeviceIdentification:
      guard let page = DeviceIdentificationPage(body) else {
        return .failure(.dropped(.malformed("an identification reply that is cut or inconsistent")))
      }
      return .success(.identification(page))
    }
  }

  private static func wrongLength(_ body: ArraySlice<UInt8>) -> Result<ModbusResponse, ReplyFault> {
    .failure(.dropped(.malformed("a reply of \(body.count + 1) bytes that does not fit the request")))
  }

  private static func registers(_ body: ArraySlice<UInt8>, count: Int) -> Result<ModbusResponse, ReplyFault> {
    guard body.count == 1 + count * 2, Int(body[body.startIndex]) == count * 2 else { return wrongLength(body) }
    let registers = body.withUnsafeBufferPointer { bytes in
      [UInt16](unsafeUninitializedCapacity: count) { words, initialised in
        for index in 0..<count { words[index] = UInt16(bytes[1 + index * 2]) << 8 | UInt16(bytes[2 + index * 2]) }
        initialised = count
      }
    }
    return .success(.registers(registers))
  }

  private static func bits(_ body: ArraySlice<UInt8>, count: Int) -> Result<ModbusResponse, ReplyFault> {
    let size = (count + 7) / 8
    guard body.count == 1 + size, Int(body[body.startIndex]) == size else { return wrongLength(body) }
    let first = body.startIndex + 1
    return .success(.bits((0..<count).map { body[first + $0 / 8] >> ($0 % 8) & 1 == 1 }))
  }

  private static func echo(_ body: ArraySlice<UInt8>, of sent: ArraySlice<UInt8>) -> Result<ModbusResponse, ReplyFault>
  {
    guard body.elementsEqual(sent) else {
      return .failure(.dropped(.malformed("a write was confirmed with another address or value")))
    }
    return .success(.written)
  }
}

/// Why a reply is not the answer that was waited for.
public enum ReplyFault: Error, Sendable, Hashable {
  /// It is the answer, and a refusal.
  case exception(ModbusException)
  /// It is no answer to this request.
  case dropped(DropCause)
}
