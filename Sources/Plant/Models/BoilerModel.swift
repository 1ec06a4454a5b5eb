internal import Documents

/// A heating controller: the flow temperature follows the setpoint while the pump runs, and cools to the room otherwise.
///
/// | table | address | contents |
/// |---|---|---|
/// | input | 10 | flow temperature, int16, 0.1 °C |
/// | input | 11 | return temperature, int16, 0.1 °C |
/// | input | 12 | pressure, uint16, 0.01 bar |
/// | input | 13 | burner modulation, uint16, % |
/// | input | 14–15 | hours of operation in seconds, uint32 |
/// | input | 20 | status bits: 0 ready, 1 pump, 2 burner, 5 overheat (flow above 82 °C) |
/// | input | 1000–1001 | ``SequenceCounter`` |
/// | discrete | 0, 1 | flame, pump feedback |
/// | coil | 3, 4 | pump, night mode |
/// | holding | 40 | setpoint, int16, 0.1 °C, taken from 5 to 95 °C |
/// | holding | 41, 42 | night setpoint, hysteresis, int16, 0.1 °C |
/// | holding | 100–107 | serial number `BC4-0001`, text, read only |
public struct BoilerModel: RegisterModel {
  private let number: Int
  private var generator: SeededGenerator
  private var flow: Double
  private var running: Double = 0
  private static let room = 18.0
  private static let timeConstantSeconds = 30.0
  private static let overheat = 82.0
  private static let serial = 100..<108

  public init(number: Int, seed: UInt64) {
    self.number = number
    generator = SeededGenerator(seed: seed, stream: UInt64(number))
    flow = 30 + 5 * generator.signedUnit()
  }

  /// `BC4-` and the device's number in four digits.
  public var serialNumber: String { "BC4-" + serialDigits(number) }

  public var identification: DeviceIdentification? {
    DeviceIdentification(
      vendorName: "Example Works", productCode: "BC-4", revision: "1.3", vendorURL: "https://example.com",
      productName: "Boiler controller", modelName: "BC-4", userApplicationName: serialNumber)
  }

  public var layout: RegisterLayout {
    RegisterLayout(coils: 0..<16, discretes: 0..<16, inputs: 0..<1_002, holdings: 0..<128)
  }

  public func prepare(_ image: inout RegisterImage) {
    image[.holding, 40] = 450
    image[.holding, 41] = 350
    image[.holding, 42] = 20
    image.set(.holding, Self.serial.lowerBound, string: serialNumber, registers: Self.serial.count)
    publish(noise: 0, &image)
  }

  public mutating func step(by interval: Duration, _ image: inout RegisterImage) {
    let seconds = interval.seconds
    let night = image[.coil, 4] != 0
    let wanted = Double(Int16(bitPattern: image[.holding, night ? 41 : 40])) / 10
    let pump = image[.coil, 3] != 0
    let target = pump ? wanted : Self.room
    // The exact step of a first-order lag, so that the curve does not depend on the length of a tick.
    flow += (target - flow) * (1 - exponential(-seconds / Self.timeConstantSeconds))
    if pump { running += seconds }
    publish(noise: 0.15 * generator.signedUnit(), &image)
  }

  private func publish(noise: Double, _ image: inout RegisterImage) {
    let pump = image[.coil, 3] != 0
    let wanted = Double(Int16(bitPattern: image[.holding, image[.coil, 4] != 0 ? 41 : 40])) / 10
    let burner = pump && flow < wanted - 0.5
    let shown = flow + noise
    image.set(.input, 10, int16: shown * 10)
    image.set(.input, 11, int16: (Self.room + (shown - Self.room) * 0.8) * 10)
    image.set(.input, 12, int16: 150 + (shown - Self.room) * 0.5)
    image.set(.input, 13, int16: burner ? min(100, 20 + (wanted - flow) * 4) : 0)
    image.set(.input, 14, uint32: UInt32(clamping: Int(running)))
    image[.input, 20] = 1 | (pump ? 2 : 0) | (burner ? 4 : 0) | (shown > Self.overheat ? 32 : 0)
    image[.discrete, 0] = burner ? 1 : 0
    image[.discrete, 1] = pump ? 1 : 0
  }

  public func refusal(of write: RegisterWrite, in image: RegisterImage) -> ModbusException? {
    guard write.table == .holding else { return nil }
    if write.addresses.overlaps(Self.serial) { return .illegalDataAddress }
    if write.addresses.contains(40), !(50...950).contains(Int16(bitPattern: write.values[40 - write.address])) {
      return .illegalDataValue
    }
    return nil
  }
}
