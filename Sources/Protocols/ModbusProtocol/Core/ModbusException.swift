/// An exception code that a device or gateway answered (Modbus Application Protocol V1.1b3, section 7).
public struct ModbusException: Error, Sendable, Hashable, CustomStringConvertible {
  public var code: UInt8
  public init(code: UInt8) { self.code = code }

  public static let illegalFunction = ModbusException(code: 1)
  public static let illegalDataAddress = ModbusException(code: 2)
  public static let illegalDataValue = ModbusException(code: 3)
  public static let serverDeviceFailure = ModbusException(code: 4)
  public static let acknowledge = ModbusException(code: 5)
  public static let serverDeviceBusy = ModbusException(code: 6)
  public static let memoryParityError = ModbusException(code: 8)
  public static let gatewayPathUnavailable = ModbusException(code: 0x0A)
  public static let gatewayTargetFailedToRespond = ModbusException(code: 0x0B)

  /// The code's name in CamelCase, fit for a condition's reason.
  public var name: String {
    switch code {
    case 1: "IllegalFunction"
    case 2: "IllegalDataAddress"
    case 3: "IllegalDataValue"
    case 4: "ServerDeviceFailure"
    case 5: "Acknowledge"
    case 6: "ServerDeviceBusy"
    case 7: "NegativeAcknowledge"
    case 8: "MemoryParityError"
    case 0x0A: "GatewayPathUnavailable"
    case 0x0B: "GatewayTargetFailedToRespond"
    default: "Exception\(code)"
    }
  }

  public var description: String { "exception \(code) \(name)" }

  /// Whether a gateway says that the unit behind it is not there; any other code proves a live unit.
  public var isFromGateway: Bool { self == .gatewayPathUnavailable || self == .gatewayTargetFailedToRespond }

  /// Whether the device refuses what was asked for, so that asking again for the same is of no use.
  public var isRefusalOfRange: Bool { self == .illegalDataAddress || self == .illegalDataValue }
}
