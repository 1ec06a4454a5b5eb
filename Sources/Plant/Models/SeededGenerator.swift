/// A small deterministic random source (SplitMix64): the same seed draws the same numbers on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable {
  private var state: UInt64

  /// `stream` separates devices that share a seed.
  public init(seed: UInt64, stream: UInt64 = 0) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 ^ stream &* 0xD1B5_4A32_D192_ED03
    _ = next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number evenly spread over -1 ..< 1.
  mutating func signedUnit() -> Double { Double(next() >> 11) / Double(1 << 52) - 1 }

  /// A phase for a periodic curve, in radians.
  mutating func phase() -> Double { (signedUnit() + 1) * Double.pi }
}
