import ArgumentParser
import DeviceKit
import ModbusProtocol

struct ModbusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "modbus", abstract: "Reads and writes registers by hand, for the engineer with a register list.",
    subcommands: [ModbusReadCommand.self, ModbusWriteCommand.self])
}

/// The place that a register list names.
struct RegisterPlace: ParsableArguments {
  @Argument(help: "HOST or HOST:PORT; the port is 502 where none is said.")
  var device: String
  @Argument(help: "coil, discrete, input or holding.")
  var table: RegisterTable
  @Argument(help: "The zero-based address.")
  var address: Int
}

struct ModbusOptions: ParsableArguments {
  @Option(help: "The unit ID.")
  var unit: UInt8 = 1
  @Option(help: "How long to wait for an answer, in milliseconds.")
  var timeout = 1_000

  var tool: ModbusTool { ModbusTool(timeout: .milliseconds(timeout)) }
}

struct ModbusReadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Reads registers and shows what they may mean.")
  @OptionGroup var place: RegisterPlace
  @OptionGroup var options: ModbusOptions
  @Option(help: "How many registers or bits.")
  var count = 1
  @Flag(help: "Also show every encoding and order that gives a plausible value.")
  var tryAllEncodings = false

  func run() async throws {
    print(
      try await options.tool.read(
        ModbusTool.endpoint(place.device), unit: options.unit, table: place.table, address: place.address, count: count,
        tryAllEncodings: tryAllEncodings))
  }
}

struct ModbusWriteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write", abstract: "Writes one value, after saying what will be sent and asking.")
  @OptionGroup var place: RegisterPlace
  @Argument(help: "The value.")
  var value: String
  @OptionGroup var options: ModbusOptions
  @Option(
    help:
      "int16, uint16, int32, uint32, int64, uint64, float16, float32, float64, bcd16, bcd32, bcd64 or string; registers only."
  )
  var encoding: RegisterEncoding = .uint16
  @Option(help: "ABCD, DCBA, BADC or CDAB.")
  var order: RegisterOrder = .abcd
  @Flag(name: .shortAndLong, help: "Do not ask.")
  var yes = false

  func run() async throws {
    let tool = options.tool
    let write = try await tool.prepareWrite(
      ModbusTool.endpoint(place.device), unit: options.unit, table: place.table, address: place.address, value: value,
      encoding: encoding, order: order)
    print(write.description)
    if !yes {
      print("Write it? A wrong value can harm people and machines. [y/N] ", terminator: "")
      guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
        throw ValidationFailure(message: "nothing was written")
      }
    }
    print(try await tool.execute(write))
  }
}

struct DiscoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discover", abstract: "Looks for devices once.", subcommands: [DiscoverModbusCommand.self])
}

struct DiscoverModbusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "modbus", abstract: "Scans the listed targets once, read-only, and prints what answers.")
  @Argument(help: "HOST, HOST:PORT, a CIDR such as 10.20.0.0/28, or a range such as 10.20.0.5-10.20.0.9.")
  var targets: [String]
  @Option(help: "The ports of targets that name none.")
  var port: [Int] = [502]
  @Option(help: "Unit IDs: 1, or 1-4; may be repeated.")
  var unit: [String] = ["1"]
  @Option(help: "Targets to leave out.")
  var exclude: [String] = []
  @Option(help: "At most so many probes in a second.")
  var probesPerSecond = 10
  @Option(help: "How long to wait for an answer, in milliseconds.")
  var timeout = 1_000

  func run() async throws {
    print(
      try await ModbusTool(timeout: .milliseconds(timeout)).discover(
        targets, ports: port, unitIDs: unit, exclude: exclude, probesPerSecond: probesPerSecond))
  }
}
