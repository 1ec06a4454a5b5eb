internal import Documents

/// A line that changes or shows a running plant, such as `fault 3 silence`; see ``usage`` for all of them.
public enum ControlCommand: Sendable, Equatable {
  /// Whom a command is for: `3` is the third Modbus server, `room-2` the second MQTT device, `all` every one.
  public enum Target: Sendable, Equatable {
    case modbus(Int), room(Int), all
  }

  case list, help
  case fault(Target, ModbusFault)
  case roomFault(Target, RoomFault)
  case clear(Target)
  case get(server: Int, RegisterTable, address: Int, count: Int)
  case set(server: Int, RegisterTable, address: Int, values: [UInt16])
  case writes(server: Int)

  public static let usage = """
    list                                  every device, its address, faults and counters
    fault N silence|drop|garbage|truncate|offline|wrong-transaction|wrong-unit
    fault N delay 500ms                   answers late
    fault N exception CODE [functions=3,4] [addresses=40-41]
    fault room-K silence|garbage|deaf
    clear N | clear room-K | clear all    no faults any more
    get N TABLE ADDRESS [COUNT]           TABLE: coil discrete input holding
    set N TABLE ADDRESS VALUE...          changes the device, as a person at its panel would
    writes N                              what clients have written
    N counts the Modbus servers from 1, K the MQTT devices.
    """

  /// Why a line is no command, and what would be one.
  public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
  }

  public init(_ line: String) throws(Malformed) {
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    func word(_ index: Int, _ what: String) throws(Malformed) -> String {
      guard index < words.count else { throw Malformed(description: "'\(line)' lacks \(what); try help") }
      return words[index]
    }
    func number(_ index: Int, _ what: String, _ range: ClosedRange<Int>) throws(Malformed) -> Int {
      let text = try word(index, what)
      guard let value = Int(text), range.contains(value) else {
        throw Malformed(
          description: "\(what) is '\(text)', not a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    func table(_ index: Int) throws(Malformed) -> RegisterTable {
      let text = try word(index, "a table")
      guard let table = RegisterTable(rawValue: text) else {
        throw Malformed(description: "'\(text)' is no table: coil, discrete, input or holding")
      }
      return table
    }
    switch words.first {
    case "list": self = .list
    case "help": self = .help
    case "clear": self = .clear(try Self.target(try word(1, "a device")))
    case "fault":
      let target = try Self.target(try word(1, "a device"))
      let name = try word(2, "a fault")
      if case .room = target {
        guard let fault = RoomFault(rawValue: name) else {
          throw Malformed(description: "'\(name)' is no fault of an MQTT device: silence, garbage or deaf")
        }
        self = .roomFault(target, fault)
      } else {
        self = .fault(target, try Self.modbusFault(name, Array(words.dropFirst(3))))
      }
    case "get":
      self = .get(
        server: try number(1, "a server", 1...PlantConfiguration.maximumServers), try table(2),
        address: try number(3, "an address", 0...65_535),
        count: words.count > 4 ? try number(4, "a count", 1...2_000) : 1)
    case "set":
      var values: [UInt16] = []
      _ = try word(4, "a value")
      for index in 4..<words.count {
        values.append(UInt16(truncatingIfNeeded: try number(index, "a value", -32_768...65_535)))
      }
      self = .set(
        server: try number(1, "a server", 1...PlantConfiguration.maximumServers), try table(2),
        address: try number(3, "an address", 0...65_535), values: values)
    case "writes": self = .writes(server: try number(1, "a server", 1...PlantConfiguration.maximumServers))
    default: throw Malformed(description: "'\(line)' is no command; try help")
    }
  }

  private static func target(_ text: String) throws(Malformed) -> Target {
    if text == "all" { return .all }
    if let number = Int(text), number > 0 { return .modbus(number) }
    if text.hasPrefix("room-"), let number = Int(text.dropFirst(5)), number > 0 { return .room(number) }
    throw Malformed(description: "'\(text)' is no device: a Modbus server's number from 1, room-1 and so on, or all")
  }

  private static func modbusFault(_ name: String, _ arguments: [String]) throws(Malformed) -> ModbusFault {
    switch name {
    case "silence": return .silence
    case "drop": return .drop
    case "garbage": return .garbage
    case "truncate": return .truncate
    case "offline": return .offline
    case "wrong-transaction": return .wrongTransaction
    case "wrong-unit": return .wrongUnit
    case "delay":
      guard let text = arguments.first, let time = Duration(manifest: text) else {
        throw Malformed(description: "delay takes a time such as 500ms")
      }
      return .delay(time)
    case "exception":
      guard let code = arguments.first.flatMap({ UInt8($0) }), code > 0 else {
        throw Malformed(description: "exception takes a code from 1 to 255")
      }
      return try exception(code, arguments.dropFirst())
    default:
      throw Malformed(description: "'\(name)' is no fault of a Modbus server; try help")
    }
  }

  private static func exception(_ code: UInt8, _ options: ArraySlice<String>) throws(Malformed) -> ModbusFault {
    var functions: Set<UInt8> = []
    var addresses: ClosedRange<Int>?
    for option in options {
      let parts = option.split(separator: "=", maxSplits: 1)
      let key = parts.first
      let value = parts.count == 2 ? parts[1] : ""
      let ends = value.split(separator: "-").map { Int($0) }
      if key == "functions", !value.isEmpty, value.split(separator: ",").allSatisfy({ UInt8($0) != nil }) {
        functions = Set(value.split(separator: ",").compactMap { UInt8($0) })
      } else if key == "addresses", (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1],
        low <= high
      {
        addresses = low...high
      } else {
        throw Malformed(description: "'\(option)' is neither functions=3,4 nor addresses=40-41")
      }
    }
    return .exception(code, functions: functions, addresses: addresses)
  }
}
