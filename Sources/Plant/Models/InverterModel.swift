internal import Documents

/// A three-phase solar inverter that speaks SunSpec (SunSpec Information Model Specification; models 1 and 103) and
/// nothing else: function code 43 is unknown to it, so that discovery has to read the SunSpec chain.
///
/// Holding registers: `SunS` at 40000, the common model (ID 1, length 66) at 40002, the inverter model (ID 103, length 50)
/// at 40070, the end model at 40122. All are read only. Input registers 1000–1001 are the ``SequenceCounter``.
public struct InverterModel: RegisterModel {
  private let number: Int
  private var generator: SeededGenerator
  private var elapsed = 0.0
  private var energyWattHours: Double
  private let phase: Double
  private static let base = 40_000
  private static let inverter = 40_072

  public init(number: Int, seed: UInt64) {
    self.number = number
    generator = SeededGenerator(seed: seed, stream: UInt64(number))
    phase = generator.phase()
    energyWattHours = 250_000 + 50_000 * generator.signedUnit()
  }

  public var identification: DeviceIdentification? { nil }

  public var layout: RegisterLayout { RegisterLayout(inputs: 1_000..<1_002, holdings: Self.base..<Self.base + 124) }

  public func prepare(_ image: inout RegisterImage) {
    image.set(.holding, Self.base, string: "SunS", registers: 2)
    image[.holding, Self.base + 2] = 1
    image[.holding, Self.base + 3] = 66
    image.set(.holding, Self.base + 4, string: "Example Works", registers: 16)
    image.set(.holding, Self.base + 20, string: "SI-10", registers: 16)
    image.set(.holding, Self.base + 36, string: "3P", registers: 8)
    image.set(.holding, Self.base + 44, string: "2.1.0", registers: 8)
    image.set(.holding, Self.base + 52, string: "SI10-" + serialDigits(number), registers: 16)
    image[.holding, Self.base + 68] = 1
    image[.holding, Self.base + 69] = 0x8000
    image[.holding, Self.base + 70] = 103
    image[.holding, Self.base + 71] = 50
    image[.holding, Self.base + 122] = 0xFFFF
    image[.holding, Self.base + 123] = 0
    publish(noise: 0, &image)
  }

  public mutating func step(by interval: Duration, _ image: inout RegisterImage) {
    elapsed += interval.seconds
    energyWattHours += watts * interval.seconds / 3_600
    publish(noise: generator.signedUnit(), &image)
  }

  private var watts: Double { 5_000 + 3_000 * sine(elapsed / 31 + phase) }

  /// Offsets count from the first register of the model's data; scale factors are 10 to the power in their register.
  private func publish(noise: Double, _ image: inout RegisterImage) {
    func put(_ offset: Int, _ value: Double) { image.set(.holding, Self.inverter + offset, int16: value) }
    let power = watts + 10 * noise
    let volts = 230 + 2 * sine(elapsed / 41 + phase)
    let amperes = power / volts / 3
    put(0, amperes * 3 * 100)
    for line in 0..<3 {
      put(1 + line, amperes * 100)
      put(5 + line, volts * 1.732_050_8 * 10)
      put(8 + line, volts * 10)
    }
    put(4, -2)  // A_SF
    put(11, -1)  // V_SF
    put(12, power)
    put(13, 0)  // W_SF
    put(14, 5_000 + noise)
    put(15, -2)  // Hz_SF
    put(16, power * 1.01)
    put(17, 0)
    put(18, power * 0.1)
    put(19, 0)
    put(20, 990)
    put(21, -1)  // PF_SF, in percent
    image.set(.holding, Self.inverter + 22, uint32: UInt32(clamping: Int(energyWattHours)))
    put(24, 0)  // WH_SF
    put(25, power / 620 * 100)
    put(26, -2)  // DCA_SF
    put(27, 6_200 + 10 * noise)
    put(28, -1)  // DCV_SF
    put(29, power * 1.03)
    put(30, 0)  // DCW_SF
    put(31, 410 + 20 * sine(elapsed / 61))
    // Points without a sensor carry "not implemented": 0x8000 for int16, all ones for enum16.
    for offset in 32...34 { image[.holding, Self.inverter + offset] = 0x8000 }
    put(35, -1)  // Tmp_SF
    put(36, 4)  // St: MPPT
    image[.holding, Self.inverter + 37] = 0xFFFF
    for offset in 38..<50 { put(offset, 0) }
  }

  public func refusal(of write: RegisterWrite, in image: RegisterImage) -> ModbusException? { .illegalDataAddress }
}
