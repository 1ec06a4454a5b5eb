extension Plant {
  /// Carries out one control line and tells the outcome: lines of text, the last one `ok` or `error: …`.
  public func control(_ line: String) -> String {
    do {
      let answer = try perform(ControlCommand(line))
      return answer.isEmpty ? "ok" : answer + "\nok"
    } catch {
      return "error: \(error)"
    }
  }

  private func perform(_ command: ControlCommand) throws(ControlCommand.Malformed) -> String {
    switch command {
    case .help: return ControlCommand.usage
    case .list: return (modbus.map(describe) + rooms.map(describe)).joined(separator: "\n")
    case .fault(let target, let fault):
      for server in try servers(target) { server.faults.append(fault) }
    case .roomFault(let target, let fault):
      for room in try devices(target) { room.faults.insert(fault) }
    case .clear(let target):
      for server in try servers(target) where !server.faults.isEmpty { server.faults = [] }
      for room in try devices(target) { room.faults = [] }
    case .get(let number, let table, let address, let count):
      guard let cells = try server(number).read(table, address, count: count) else {
        throw ControlCommand.Malformed(description: "server \(number) has no \(table.rawValue) \(address) × \(count)")
      }
      return cells.map(String.init).joined(separator: " ")
    case .set(let number, let table, let address, let values):
      guard try server(number).set(table, address, to: values) else {
        throw ControlCommand.Malformed(
          description: "server \(number) has no \(table.rawValue) \(address) × \(values.count)")
      }
    case .writes(let number):
      return try server(number).writes.map { record in
        let values = record.write.values.map(String.init).joined(separator: " ")
        return "\(record.write.table.rawValue) \(record.write.address) = \(values)"
          + " by connection \(record.connection) from \(record.peer), function \(record.function), tick \(record.sequence)"
      }.joined(separator: "\n")
    }
    return ""
  }

  private func server(_ number: Int) throws(ControlCommand.Malformed) -> ModbusServer {
    guard modbus.indices.contains(number - 1) else {
      throw ControlCommand.Malformed(description: "there is no Modbus server \(number); there are \(modbus.count)")
    }
    return modbus[number - 1]
  }

  private func servers(_ target: ControlCommand.Target) throws(ControlCommand.Malformed) -> [ModbusServer] {
    switch target {
    case .all: return modbus
    case .modbus(let number): return [try server(number)]
    case .room: return []
    }
  }

  private func devices(_ target: ControlCommand.Target) throws(ControlCommand.Malformed) -> [RoomDevice] {
    switch target {
    case .all: return rooms
    case .modbus: return []
    case .room(let number):
      guard rooms.indices.contains(number - 1) else {
        throw ControlCommand.Malformed(description: "there is no room-\(number); there are \(rooms.count)")
      }
      return [rooms[number - 1]]
    }
  }

  private func describe(_ server: ModbusServer) -> String {
    let seen = server.statistics
    let faults = server.faults.map { String(describing: $0) }.joined(separator: ",")
    return "\(server.number) \(server.kind.rawValue) \(server.host):\(server.port) tick=\(server.sequence)"
      + " connections=\(seen.connectionsOpen) requests=\(seen.requests) exceptions=\(seen.exceptions)"
      + " writes=\(seen.writes) faults=\(faults.isEmpty ? "none" : faults)"
  }

  private func describe(_ room: RoomDevice) -> String {
    let faults = room.faults.map(\.rawValue).sorted().joined(separator: ",")
    return "\(room.name) mqtt \(room.topic) interval=\(room.interval) seq=\(room.sequence)"
      + " acknowledged=\(room.acknowledged) dropped=\(room.dropped) faults=\(faults.isEmpty ? "none" : faults)"
  }
}
