/// How a serial line is set.
public struct SerialSettings: Sendable, Hashable, CustomStringConvertible {
  public enum Parity: String, Sendable, Hashable, CaseIterable {
    case none = "None"
    case even = "Even"
    case odd = "Odd"
    var letter: Character {
      switch self {
      case .none: "N"
      case .even: "E"
      case .odd: "O"
      }
    }
  }
  /// Who turns the line's direction round for sending.
  public enum Direction: String, Sendable, Hashable, CaseIterable {
    /// The adapter does, or there is nothing to turn (RS-232).
    case automatic = "Automatic"
    /// The kernel's driver, by its RS-485 mode (TIOCSRS485).
    case driver = "Driver"
    /// The gateway raises RTS while it sends.
    case rtsHigh = "RTSHigh"
    /// The gateway lowers RTS while it sends.
    case rtsLow = "RTSLow"
  }
  public var baudRate: Int
  public var parity: Parity
  public var dataBits: Int
  public var stopBits: Int
  public var direction: Direction
  /// Between turning RTS and sending, and between the last bit and turning it back; nil: libmodbus's own, the time of
  /// one byte.
  public var directionDelay: Duration?
  public init(
    baudRate: Int = 9600, parity: Parity = .none, dataBits: Int = 8, stopBits: Int = 1,
    direction: Direction = .automatic, directionDelay: Duration? = nil
  ) {
    self.baudRate = baudRate
    self.parity = parity
    self.dataBits = dataBits
    self.stopBits = stopBits
    self.direction = direction
    self.directionDelay = directionDelay
  }

  public var description: String { "\(baudRate) \(dataBits)\(parity.letter)\(stopBits)" }

  /// Nanoseconds that `count` characters take on the wire.
  package func nanoseconds(characters count: Double) -> Int64 {
    let bits = Double(1 + dataBits + (parity == .none ? 0 : 1) + stopBits)
    return Int64(count * bits * 1e9 / Double(max(baudRate, 1)))
  }

  /// The silence between frames: 3.5 characters, fixed at 1.75 ms above 19,200 baud (Modbus over Serial Line V1.02, 2.5.1.1).
  package var frameGap: Int64 { baudRate > 19_200 ? 1_750_000 : nanoseconds(characters: 3.5) }
}
