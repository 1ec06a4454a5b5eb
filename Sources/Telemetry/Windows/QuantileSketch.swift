internal import Glibc

/// Quantiles of a window's numbers in bounded memory: exact for up to 32 numbers, then by bins whose bounds grow by a
/// constant factor (Masson, Rim and Lee, DDSketch, VLDB 2019).
///
/// A quantile lies between the two numbers of neighbouring rank (linear interpolation, Hyndman and Fan's type 7). Of each
/// of these the sketch knows the magnitude to 1 %, as long as the largest and the smallest magnitude of the window are
/// within a factor of 6·10^17. Beyond that two bins at a time become one (Epicoco et al., UDDSketch, 2020), which doubles
/// the error. Magnitudes below 10^-12 count as zero. At most 2,048 bins of 4 bytes a sign.
struct QuantileSketch {
  static let exactly = 32
  static let most = 2_048
  static let relativeError = 0.01
  static let smallest = 1e-12
  private static let growth = log((1 + relativeError) / (1 - relativeError))

  private(set) var few: [Double] = []
  private(set) var count: UInt64 = 0
  private(set) var zeros: UInt64 = 0
  private(set) var positive = LogBins()
  private(set) var negative = LogBins()
  /// How often two bins have become one.
  private(set) var halvings: UInt8 = 0

  mutating func removeAll() {
    few.removeAll(keepingCapacity: true)
    (count, zeros, halvings) = (0, 0, 0)
    positive.removeAll()
    negative.removeAll()
  }

  mutating func add(_ value: Double) {
    count += 1
    if count <= UInt64(Self.exactly) {
      few.append(value)
      return
    }
    if !few.isEmpty { spill() }
    bin(value)
  }

  mutating func add(_ other: QuantileSketch) {
    guard other.few.count != Int(other.count) else {
      for value in other.few { add(value) }
      return
    }
    if !few.isEmpty { spill() }
    count += other.count
    zeros += other.zeros
    var (positive, negative) = (other.positive, other.negative)
    for _ in other.halvings..<max(halvings, other.halvings) {
      positive.halve()
      negative.halve()
    }
    while halvings < other.halvings { halve() }
    while !self.positive.hasRoom(for: positive) || !self.negative.hasRoom(for: negative) {
      halve()
      positive.halve()
      negative.halve()
    }
    self.positive.add(positive)
    self.negative.add(negative)
  }

  private mutating func spill() {
    for value in few { bin(value) }
    few.removeAll(keepingCapacity: true)
  }

  private mutating func bin(_ value: Double) {
    let magnitude = value.magnitude
    guard magnitude >= Self.smallest else {
      zeros += 1
      return
    }
    var index = Int((log(magnitude) / width).rounded(.up))
    if value > 0 {
      while !positive.hasRoom(for: index) {
        halve()
        index = LogBins.halved(index)
      }
      positive.add(1, at: index)
    } else {
      while !negative.hasRoom(for: index) {
        halve()
        index = LogBins.halved(index)
      }
      negative.add(1, at: index)
    }
  }

  private mutating func halve() {
    positive.halve()
    negative.halve()
    halvings += 1
  }

  /// The natural logarithm of the bins' growth.
  private var width: Double { Self.growth * Double(1 << UInt64(halvings)) }

  /// The value below which the share `share` (0...1) of the numbers lies; absent where there are none.
  func quantile(_ share: Double) -> Numeral {
    guard count > 0 else { return .absent }
    let rank = share * Double(count - 1)
    let below = rank.rounded(.down)
    let lower = UInt64(below)
    let upper = min(lower + 1, count - 1)
    let (low, high): (Double, Double)
    if few.isEmpty {
      (low, high) = (value(at: lower), value(at: upper))
    } else {
      let sorted = few.sorted()
      (low, high) = (sorted[Int(lower)], sorted[Int(upper)])
    }
    let part = rank - below
    return Numeral(finite: part == 0 ? low : low * (1 - part) + high * part)
  }

  /// The number of this rank, from 0, as the sketch knows it.
  private func value(at rank: UInt64) -> Double {
    if rank < negative.count { return -magnitude(negative.index(at: negative.count - 1 - rank)) }
    let rest = rank - negative.count
    return rest < zeros ? 0 : magnitude(positive.index(at: rest - zeros))
  }

  /// The value whose relative distance from both bounds of the bin is the same.
  private func magnitude(_ index: Int) -> Double {
    2 * exp(Double(index) * width) / (1 + exp(width))
  }
}

extension QuantileSketch {
  func save(to output: inout ByteWriter) {
    output.byte(halvings)
    output.varint(count)
    output.varint(zeros)
    output.varint(UInt64(few.count))
    for value in few { output.fixed(value) }
    positive.save(to: &output)
    negative.save(to: &output)
  }

  init(from input: inout ByteReader) throws(DecodingFault) {
    halvings = try input.byte()
    count = try input.varint()
    zeros = try input.varint()
    let exact = try input.count()
    guard halvings < 32, exact <= Self.exactly else { throw DecodingFault() }
    for _ in 0..<exact { few.append(try input.double()) }
    positive = try LogBins(from: &input)
    negative = try LogBins(from: &input)
    let kept = few.isEmpty ? positive.count + negative.count + zeros : UInt64(few.count)
    guard kept == count else { throw DecodingFault() }
  }
}
