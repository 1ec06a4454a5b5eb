internal import Documents

/// The climate of a room: temperature and humidity that swing slowly, with a little noise.
public struct RoomModel: Sendable, Equatable {
  private var generator: SeededGenerator
  private var elapsed = 0.0
  private let phase: Double
  private let mean: Double
  /// In °C, to a tenth.
  public private(set) var temperatureTenths = 0
  /// Relative, in percent, to a tenth.
  public private(set) var humidityTenths = 0

  public init(number: Int, seed: UInt64) {
    generator = SeededGenerator(seed: seed, stream: 0x5EED_0000 + UInt64(number))
    phase = generator.phase()
    mean = 21 + generator.signedUnit()
    measure(noise: 0)
  }

  /// Moves the room on by `interval`.
  public mutating func step(by interval: Duration) {
    elapsed += interval.seconds
    measure(noise: generator.signedUnit())
  }

  private mutating func measure(noise: Double) {
    temperatureTenths = Int((10 * (mean + 1.5 * sine(elapsed / 23 + phase) + 0.1 * noise)).rounded())
    humidityTenths = Int((10 * (45 - 5 * sine(elapsed / 29 + phase) + 0.2 * noise)).rounded())
  }
}
