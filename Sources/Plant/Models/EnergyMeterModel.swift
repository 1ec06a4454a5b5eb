internal import Documents

/// A three-phase energy meter with the register map of the Eastron SDM630-Modbus V2 (Eastron, "SDM630-Modbus V2, Modbus
/// Protocol Implementation"): every value an IEEE 754 single in two registers, order ABCD.
///
/// Input registers 0–381 carry voltages (0, 2, 4), currents (6, 8, 10), powers (12, 14, 16), the sums (48–66), frequency
/// (70), energies (72–82, 342–380), demands (84–106, 258–268), line-to-line voltages (200–206) and distortion
/// (234–250, 334–340); 1000–1001 are the ``SequenceCounter``. Holding registers: 2 demand period in minutes, one of
/// ``allowedDemandPeriods``; 10 system type; 12 pulse width; 18 parity; 20 node; 28 baud rate code.
public struct EnergyMeterModel: RegisterModel {
  private let number: Int
  private var generator: SeededGenerator
  private var elapsed = 0.0
  private var energy: [Double]
  private var phases: [Double]
  private var demand = 0.0
  private var demandPeak = 0.0

  /// The minutes that holding register 2 takes; anything else answers exception 3.
  public static let allowedDemandPeriods: [Double] = [0, 5, 8, 10, 15, 20, 30, 60]

  public init(number: Int, seed: UInt64) {
    self.number = number
    generator = SeededGenerator(seed: seed, stream: UInt64(number))
    phases = []
    energy = []
    for _ in 0..<3 {
      phases.append(generator.phase())
      energy.append(1_000 + 500 * generator.signedUnit())
    }
  }

  public var identification: DeviceIdentification? {
    DeviceIdentification(
      vendorName: "Eastron", productCode: "SDM630-Modbus V2", revision: "2.04",
      vendorURL: "https://www.eastrongroup.com",
      productName: "SDM630", modelName: "SDM630-Modbus V2", userApplicationName: "SDM-" + serialDigits(number))
  }

  public var layout: RegisterLayout { RegisterLayout(inputs: 0..<1_002, holdings: 0..<88) }

  public func prepare(_ image: inout RegisterImage) {
    image.set(.holding, 2, float32: 60)
    image.set(.holding, 10, float32: 3)  // three phases, four wires
    image.set(.holding, 12, float32: 100)
    image.set(.holding, 20, float32: 1)
    image.set(.holding, 28, float32: 2)  // 9600 baud
    publish(noise: [0, 0, 0], &image)
  }

  public mutating func step(by interval: Duration, _ image: inout RegisterImage) {
    elapsed += interval.seconds
    let noise = (0..<3).map { _ in generator.signedUnit() }
    for phase in 0..<3 {
      energy[phase] += current(phase) * voltage(phase) * Self.powerFactor * interval.seconds / 3_600_000
    }
    let total = (0..<3).reduce(0) { $0 + current($1) * voltage($1) * Self.powerFactor }
    let period = image.float32(.holding, 2) * 60
    demand += (total - demand) * (period > 0 ? min(1, interval.seconds / period) : 1)
    demandPeak = max(demandPeak, demand)
    publish(noise: noise, &image)
  }

  private static let powerFactor = 0.95

  private func voltage(_ phase: Int) -> Double { 230 + 3 * sine(elapsed / 47 + phases[phase]) }
  private func current(_ phase: Int) -> Double {
    8 + 4 * sine(elapsed / 19 + phases[phase]) + 1.5 * sine(elapsed / 5 + 2 * phases[phase])
  }

  private func publish(noise: [Double], _ image: inout RegisterImage) {
    let volts: [Double] = (0..<3).map { voltage($0) + 0.3 * noise[$0] }
    let amperes: [Double] = (0..<3).map { current($0) + 0.05 * noise[$0] }
    let apparent: [Double] = (0..<3).map { volts[$0] * amperes[$0] }
    let active: [Double] = apparent.map { $0 * Self.powerFactor }
    let reactiveShare = (1 - Self.powerFactor * Self.powerFactor).squareRoot()
    let reactive: [Double] = apparent.map { $0 * reactiveShare }
    func sum(_ values: [Double]) -> Double { values.reduce(0, +) }
    func put(_ address: Int, _ value: Double) { image.set(.input, address, float32: value) }
    func putThree(_ address: Int, _ values: [Double]) { for phase in 0..<3 { put(address + 2 * phase, values[phase]) } }

    putThree(0, volts)
    putThree(6, amperes)
    putThree(12, active)
    putThree(18, apparent)
    putThree(24, reactive)
    putThree(30, [Self.powerFactor, Self.powerFactor, Self.powerFactor])
    putThree(36, [18.19, 18.19, 18.19])
    put(42, sum(volts) / 3)
    put(46, sum(amperes) / 3)
    put(48, sum(amperes))
    put(52, sum(active))
    put(56, sum(apparent))
    put(60, sum(reactive))
    put(62, Self.powerFactor)
    put(66, 18.19)
    put(70, 50 + 0.02 * sine(elapsed / 11) + 0.002 * noise[0])
    put(72, sum(energy))
    put(76, sum(energy) * 0.33)
    put(80, sum(energy) * 1.05)
    put(82, sum(energy) * 4.5)
    put(84, demand)
    put(86, demandPeak)
    put(100, demand / Self.powerFactor)
    put(102, demandPeak / Self.powerFactor)
    let lineToLine: [Double] = (0..<3).map { (phase: Int) -> Double in
      (volts[phase] + volts[(phase + 1) % 3]) / 2 * 1.732_050_8
    }
    putThree(200, lineToLine)
    put(206, sum(volts) / 3 * 1.732_050_8)
    put(224, 0.4 + 0.05 * noise[1])
    putThree(234, [2.1, 2.2, 2.0])
    putThree(240, [7.5, 8.1, 7.9])
    put(248, 2.1)
    put(250, 7.8)
    putThree(258, amperes)
    putThree(334, [2.0, 2.1, 2.1])
    put(340, 2.1)
    put(342, sum(energy))
    put(344, sum(energy) * 0.33)
    putThree(346, energy)
    putThree(358, energy)
    putThree(364, energy.map { $0 * 0.33 })
    putThree(376, energy.map { $0 * 0.33 })
  }

  public func refusal(of write: RegisterWrite, in image: RegisterImage) -> ModbusException? {
    guard write.addresses.contains(2) || write.addresses.contains(3) else { return nil }
    // The meter takes both halves of a value in one request only.
    guard write.addresses.contains(2), write.addresses.contains(3) else { return .illegalDataValue }
    let high = UInt32(write.values[2 - write.address])
    let low = UInt32(write.values[3 - write.address])
    let minutes = Double(Float(bitPattern: high << 16 | low))
    return Self.allowedDemandPeriods.contains(minutes) ? nil : .illegalDataValue
  }
}
