/// A refusal as a Modbus server answers it (Modbus Application Protocol V1.1b3, section 7).
public enum ModbusException: UInt8, Sendable {
  case illegalFunction = 1
  case illegalDataAddress = 2
  case illegalDataValue = 3
  case serverDeviceFailure = 4
  case acknowledge = 5
  case serverDeviceBusy = 6
  case gatewayPathUnavailable = 10
  case gatewayTargetFailedToRespond = 11
}

/// The new contents of consecutive coils or holding registers, as a request asks for them.
public struct RegisterWrite: Sendable, Equatable {
  public var table: RegisterTable
  public var address: Int
  /// One element a cell; coils are 0 or 1.
  public var values: [UInt16]

  public init(table: RegisterTable, address: Int, values: [UInt16]) {
    self.table = table
    self.address = address
    self.values = values
  }

  /// The addresses written.
  public var addresses: Range<Int> { address..<address + values.count }
}

/// How a simulated Modbus device behaves: its registers, and how their contents move with time.
///
/// A model knows no clock and no socket. The same seed and the same steps give the same registers.
public protocol RegisterModel: Sendable {
  /// What function code 43/14 answers; nil: the device does not know that function.
  var identification: DeviceIdentification? { get }
  var layout: RegisterLayout { get }
  /// Fills the registers as they are when the device is switched on.
  func prepare(_ image: inout RegisterImage)
  /// Moves the device on by `interval`, reading its writable cells and setting the others.
  mutating func step(by interval: Duration, _ image: inout RegisterImage)
  /// Why the device does not take `write`, all of whose addresses exist; nil takes it.
  func refusal(of write: RegisterWrite, in image: RegisterImage) -> ModbusException?
}

/// Where every simulated device counts its ticks.
public enum SequenceCounter {
  /// Input registers 1000 and 1001: an unsigned 32-bit number, high word first, that rises by one at each tick.
  public static let address = 1_000
  /// The addresses of the pair.
  public static let addresses = 1_000..<1_002
}

/// What a simulated Modbus device imitates.
public enum ModbusKind: String, Sendable, CaseIterable {
  /// A heating controller "BC-4" of Example Works, see ``BoilerModel``.
  case boiler
  /// An energy meter Eastron SDM630-Modbus V2, see ``EnergyMeterModel``.
  case sdm630
  /// A three-phase SunSpec inverter, see ``InverterModel``.
  case sunspec

  /// The device with a plant-wide `number` from 1, which its serial number carries.
  public func model(number: Int, seed: UInt64) -> any RegisterModel {
    switch self {
    case .boiler: BoilerModel(number: number, seed: seed)
    case .sdm630: EnergyMeterModel(number: number, seed: seed)
    case .sunspec: InverterModel(number: number, seed: seed)
    }
  }
}

/// `number` in at least four digits.
func serialDigits(_ number: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
