internal import Documents
internal import Glibc

/// What a server's loop does with a connection after a request.
enum ServeOutcome: Equatable {
  case keep, close
  /// Serve the request again after this time.
  case wait(Duration)
}

/// The client's end of a connection.
struct ModbusPeer {
  var descriptor: Int32
  var number: Int
  var address: String
}

extension ModbusServer {
  /// Answers one whole frame on the peer's connection. `delayed` says that the frame has waited already.
  func serve(_ frame: [UInt8], from peer: ModbusPeer, with context: borrowing ModbusContext, delayed: Bool)
    -> ServeOutcome
  {
    let request = ModbusRequest(frame: frame)
    return withState { state in
      let verdict = FaultVerdict(faults: state.faults, request: request)
      if !delayed {
        state.statistics.requests += 1
        state.statistics.requestsByFunction[request.function, default: 0] += 1
        if verdict.delay > .zero { return .wait(verdict.delay) }
      }
      var frame = frame
      if verdict.wrongTransaction { frame[1] &+= 1 }
      if verdict.wrongUnit { frame[6] &+= 1 }
      switch verdict.answer {
      case .none: return .keep
      case .close: return .close
      case .garbage:
        let noise: [UInt8] = [0xDE, 0xAD, 0xBE, 0xEF, 0x13, 0x37, 0x00, 0xFF, frame[0], frame[1], 0x80, 0x7F]
        return transmit(noise, to: peer)
      case .truncated: return transmit(Array(frame[..<4]) + [0, 5, frame[6]], to: peer)
      case .exception(let code): return state.refuse(frame, code: code, peer: peer, context)
      case .normal: break
      }
      guard unitIDs.contains(request.unit) || request.unit == 0 || request.unit == 255 else {
        let code = ModbusException.gatewayTargetFailedToRespond.rawValue
        return state.refuse(frame, code: code, peer: peer, context)
      }
      return state.answer(request, frame, peer: peer, context)
    }
  }
}

extension ModbusServer.State {
  fileprivate mutating func refuse(
    _ frame: [UInt8], code: UInt8, peer: ModbusPeer, _ context: borrowing ModbusContext
  ) -> ServeOutcome {
    statistics.exceptions += 1
    return context.refuse(frame, on: peer.descriptor, code: code) ? .keep : .close
  }

  fileprivate mutating func answer(
    _ request: ModbusRequest, _ frame: [UInt8], peer: ModbusPeer, _ context: borrowing ModbusContext
  ) -> ServeOutcome {
    let verdict = examine(request)
    if case .failure(let exception) = verdict {
      return refuse(frame, code: exception.rawValue, peer: peer, context)
    }
    if case .encapsulated(let body) = request.effect {
      switch model.identification?.answer(to: body) ?? .failure(.illegalFunction) {
      case .failure(let exception): return refuse(frame, code: exception.rawValue, peer: peer, context)
      case .success(let answer):
        let length = 2 + answer.count
        return transmit(
          Array(frame[..<4]) + [UInt8(length >> 8), UInt8(length & 0xFF), frame[6], 0x2B] + answer, to: peer)
      }
    }
    guard context.reply(to: frame, on: peer.descriptor, from: mapping) else { return .close }
    if case .success(let write?) = verdict { record(write, request, peer) }
    return .keep
  }

  /// What the request writes, or why it is refused. libmodbus checks the same addresses again while it answers.
  private func examine(_ request: ModbusRequest) -> Result<RegisterWrite?, ModbusException> {
    func isMissing(_ table: RegisterTable, _ range: Range<Int>) -> Bool {
      image.layout[table].clamped(to: range) != range
    }
    let write: RegisterWrite
    switch request.effect {
    case .unknown: return .failure(.illegalFunction)
    case .malformed: return .failure(.illegalDataValue)
    case .reportServerID, .encapsulated: return .success(nil)
    case .read(let table, let range): return isMissing(table, range) ? .failure(.illegalDataAddress) : .success(nil)
    case .write(let asked): write = asked
    case .writeThenRead(let asked, let range):
      if isMissing(.holding, range) { return .failure(.illegalDataAddress) }
      write = asked
    case .maskWrite(let address, let and, let or):
      if isMissing(.holding, address..<address + 1) { return .failure(.illegalDataAddress) }
      let value = (current[.holding, address] & and) | (or & ~and)
      write = RegisterWrite(table: .holding, address: address, values: [value])
    }
    if isMissing(write.table, write.addresses) { return .failure(.illegalDataAddress) }
    if let exception = model.refusal(of: write, in: image) { return .failure(exception) }
    return .success(write)
  }

  private mutating func record(_ write: RegisterWrite, _ request: ModbusRequest, _ peer: ModbusPeer) {
    statistics.writes += 1
    if writes.count == ModbusServer.rememberedWrites { writes.removeFirst() }
    writes.append(
      WriteRecord(
        connection: peer.number, peer: peer.address, unit: request.unit, function: request.function, write: write,
        sequence: sequence))
  }
}

/// Sends all of `bytes`, which fit any socket buffer, or asks for the connection to be closed.
private func transmit(_ bytes: [UInt8], to peer: ModbusPeer) -> ServeOutcome {
  send(peer.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count ? .keep : .close
}
