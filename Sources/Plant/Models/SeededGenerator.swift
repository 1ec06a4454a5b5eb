internal import DeviceKit

/// A small deterministic random source: the same seed draws the same numbers on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable {
  private var random: SplitMix64

  /// `stream` separates devices that share a seed.
  public init(seed: UInt64, stream: UInt64 = 0) {
    random = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ stream &* 0xD1B5_4A32_D192_ED03)
    _ = next()
  }

  public mutating func next() -> UInt64 { random.next() }

  /// A number evenly spread over -1 ..< 1.
  mutating func signedUnit() -> Double { Double(next() >> 11) / Double(1 << 52) - 1 }

  /// A phase for a periodic curve, in radians.
  mutating func phase() -> Double { (signedUnit() + 1) * Double.pi }
}
