public import DeviceKit
import Documents
public import NIOCore
public import NIOPosix

/// What the command line's `modbus` commands do: single reads and writes at one device, and one scan.
public struct ModbusTool: Sendable {
  private let group: any EventLoopGroup
  private let timeout: Duration
  private let framing: LinkFraming

  public init(
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, timeout: Duration = .seconds(1),
    framing: LinkFraming = .tcp
  ) {
    self.group = group
    self.timeout = timeout
    self.framing = framing
  }

  /// `HOST`, `HOST:PORT` or `[IPv6]:PORT`. Throws ``DeviceError`` `InvalidTarget`.
  public static func endpoint(_ text: String) throws(DeviceError) -> TCPEndpoint {
    guard case .host(let host, let port) = try ScanTarget(text) else {
      throw DeviceError(
        reason: "InvalidTarget", message: "'\(text)' is not one host: give HOST or HOST:PORT", isPermanent: true)
    }
    return TCPEndpoint(host: host, port: port ?? 502)
  }

  private func send(_ request: ModbusRequest, _ endpoint: TCPEndpoint, _ unit: UInt8) async throws(DeviceError)
    -> ModbusResponse
  {
    let link = TCPLink(endpoint, framing: framing, on: LoopClock(group.next()))
    let reply = await link.execute(request, unit: unit, timeout: timeout)
    switch reply.result {
    case .success(let response): return response
    case .failure(let error): throw error.deviceError("\(endpoint) unit \(unit)")
    }
  }

  // MARK: Reading

  /// A table of `count` addresses from `address` (zero-based): address, Modicon number, hexadecimal, unsigned and signed
  /// value; with `tryAllEncodings` also every encoding and order that gives a plausible value from there on.
  public func read(
    _ endpoint: TCPEndpoint, unit: UInt8 = 1, table: RegisterTable, address: Int, count: Int = 1,
    tryAllEncodings: Bool = false
  ) async throws(DeviceError) -> String {
    guard address >= 0, count >= 1, count <= table.maximumReadCount, address + count <= 65_536 else {
      throw DeviceError(
        reason: "InvalidRange",
        message:
          "one read takes 1 to \(table.maximumReadCount) addresses of table \(table.rawValue), all from 0 to 65535",
        isPermanent: true)
    }
    let request = ModbusRequest.read(table, address: UInt16(address), count: UInt16(count))
    switch try await send(request, endpoint, unit) {
    case .bits(let bits):
      var rows = TextTable(["ADDRESS", "REGISTER", "VALUE"])
      for (index, bit) in bits.enumerated() {
        rows.add(["\(address + index)", ModiconRegister.text(table, address + index), bit ? "1" : "0"])
      }
      return rows.text
    case .registers(let registers):
      var rows = TextTable(["ADDRESS", "REGISTER", "HEX", "UNSIGNED", "SIGNED"])
      for (index, register) in registers.enumerated() {
        rows.add([
          "\(address + index)", ModiconRegister.text(table, address + index), Self.hexadecimal(register), "\(register)",
          "\(Int16(bitPattern: register))",
        ])
      }
      return tryAllEncodings ? rows.text + "\n\n" + Self.guesses(registers, from: address).text : rows.text
    case .written, .serverID, .identification:
      throw DeviceError(reason: "MalformedReply", message: "\(endpoint): an answer to another request")
    }
  }

  private static func guesses(_ registers: [UInt16], from address: Int) -> TextTable {
    var rows = TextTable(["ADDRESS", "ENCODING", "ORDER", "VALUE"])
    for index in registers.indices {
      for guess in EncodingGuess.all(of: registers[index...]) {
        rows.add(["\(address + index)", guess.encoding.rawValue, guess.order.rawValue, guess.text])
      }
    }
    return rows
  }

  private static func hexadecimal(_ register: UInt16) -> String {
    let digits = String(register, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  // MARK: Writing

  /// A write that is checked and described, but not sent.
  public struct PreparedWrite: Sendable {
    /// What will be sent to whom, in a sentence or two, with the present value beside the new one.
    public let description: String
    let endpoint: TCPEndpoint
    let unit: UInt8
    let request: ModbusRequest
    let readBack: ModbusRequest
    let binding: PropertyBinding
  }

  /// Prepares writing `value` at `address` (zero-based) of a coil or holding register; reads the present value first.
  /// `value` is a number, `true`/`false`, or a text for encoding `string`, padded to `registers`.
  public func prepareWrite(
    _ endpoint: TCPEndpoint, unit: UInt8 = 1, table: RegisterTable, address: Int, value text: String,
    encoding: RegisterEncoding? = nil, order: RegisterOrder = .abcd, scale: Double = 1, offset: Double = 0,
    registers: Int? = nil
  ) async throws(DeviceError) -> PreparedWrite {
    var fragment: JSONValue = ["table": .string(table.rawValue), "address": .integer(Int64(address))]
    if !table.holdsBits {
      fragment["encoding"] = .string((encoding ?? .uint16).rawValue)
      fragment["order"] = .string(order.rawValue)
      if scale != 1 { fragment["scale"] = .double(scale) }
      if offset != 0 { fragment["offset"] = .double(offset) }
      if encoding == .string { fragment["registers"] = .integer(Int64(registers ?? max(1, (text.utf8.count + 1) / 2))) }
    }
    let type: PropertyType = table.holdsBits ? .boolean : encoding == .string ? .string : .number
    let property = PropertyDefinition(name: "value", type: type, access: .readWrite, binding: fragment)
    let binding = try PropertyBinding(property)
    let change = try binding.change(to: try Self.value(text, type))
    let request: ModbusRequest
    switch change {
    case .coils(let address, let values): request = .writeCoil(address: UInt16(address), value: values[0])
    case .registers(let address, let values) where values.count == 1:
      request = .writeRegister(address: UInt16(address), value: values[0])
    case .registers(let address, let values): request = .writeRegisters(address: UInt16(address), values: values)
    case .bits:
      throw DeviceError(
        reason: "InvalidBinding", message: "single bits of registers are not written here", isPermanent: true)
    }
    let readBack = ModbusRequest.read(table, address: UInt16(address), count: UInt16(binding.length))
    let present = Self.shown(try await send(readBack, endpoint, unit), binding)
    let bytes = request.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(
      separator: " ")
    let place = "\(table.rawValue) \(address) (\(ModiconRegister.text(table, address)))"
    let description =
      "\(endpoint) unit \(unit): \(place) from \(present) to \(text) by function \(request.functionCode); bytes \(bytes)"
    return PreparedWrite(
      description: description, endpoint: endpoint, unit: unit, request: request, readBack: readBack, binding: binding)
  }

  /// Sends a prepared write and answers what the device then says, in a sentence.
  public func execute(_ write: PreparedWrite) async throws(DeviceError) -> String {
    _ = try await send(write.request, write.endpoint, write.unit)
    let value = Self.shown(try await send(write.readBack, write.endpoint, write.unit), write.binding)
    return "written; the device now says \(value)"
  }

  private static func value(_ text: String, _ type: PropertyType) throws(DeviceError) -> Value {
    switch type {
    case .boolean:
      if ["true", "on", "1"].contains(text) { return .boolean(true) }
      if ["false", "off", "0"].contains(text) { return .boolean(false) }
    case .string: return .string(text)
    case .integer, .number, .object, .array:
      if let whole = Int64(text) { return .integer(whole) }
      if let whole = UInt64(text) { return .unsigned(whole) }
      if let number = Double(text), number.isFinite { return .number(number) }
    }
    let wanted = type == .boolean ? "true or false" : "a number"
    throw DeviceError(reason: "InvalidValue", message: "'\(text)' is not \(wanted)", isPermanent: true)
  }

  private static func shown(_ response: ModbusResponse, _ binding: PropertyBinding) -> String {
    let decoded: RegisterCodec.Decoded
    switch response {
    case .bits(let bits): return bits.first == true ? "true" : "false"
    case .registers(let registers): decoded = binding.codec.decode(registers[...])
    case .written, .serverID, .identification: return "something else"
    }
    switch decoded {
    case .value(let value), .uncertain(let value, _): return value.shown
    case .bad(let cause): return cause
    }
  }

  // MARK: Scanning

  /// Scans once and answers a table of what was found, warnings below it.
  public func discover(
    _ targets: [String], ports: [Int] = [502], unitIDs: [String] = ["1"], exclude: [String] = [],
    probesPerSecond: Int = 10,
    audit: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(DeviceError) -> String {
    let specification: JSONValue = [
      "tcp": [
        "targets": .array(targets.map(JSONValue.string)), "exclude": .array(exclude.map(JSONValue.string)),
        "ports": .array(ports.map { .integer(Int64($0)) }), "unitIDs": .array(unitIDs.map(JSONValue.string)),
        "probesPerSecond": .integer(Int64(probesPerSecond)),
        "timeout": .string("\(max(1, timeout.nanoseconds / 1_000_000))ms"),
      ]
    ]
    let request = DiscoveryRequest(
      name: "command-line", specification: specification, every: .seconds(900), audit: audit)
    let discoverer = try ModbusDiscoverer(request, links: LinkDirectory(group: group, clock: .system), clock: .system)
    let look = await discoverer.look(known: [:])
    var rows = TextTable(["ADDRESS", "UNIT", "MAKER", "MODEL", "REVISION", "SERIAL NUMBER"])
    for find in look.found {
      let (connection, identity) = (find.connection, find.device.identity)
      guard case .tcp(let endpoint, _) = connection.medium else { continue }
      rows.add([
        endpoint.description, "\(connection.unit)", identity["vendorName"] ?? "-",
        identity["modelName"] ?? identity["productCode"] ?? identity["serverID"] ?? "-", identity["revision"] ?? "-",
        identity["serialNumber"] ?? "-",
      ])
    }
    return (look.found.isEmpty ? "no device found" : rows.text) + look.warnings.map { "\nwarning: \($0)" }.joined()
  }
}
