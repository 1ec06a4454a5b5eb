internal import DeviceKit

/// Mean and squared deviations of a window's numbers (Welford, Technometrics 4, 1962; joined after Chan, Golub and
/// LeVeque, 1979), taken from the first number, so that integers beyond 2^53 keep their small differences.
struct Moments: BitwiseCopyable {
  var origin = Numeral.absent
  var count = 0.0
  /// Of the distances from the origin.
  var mean = 0.0
  var squares = 0.0

  mutating func add(_ number: Numeral) {
    if origin.isAbsent { origin = number }
    let distance = number.minus(origin).double
    count += 1
    let before = distance - mean
    mean += before / count
    squares += before * (distance - mean)
  }

  mutating func add(_ other: Moments) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    let apart = other.origin.minus(origin).double + other.mean - mean
    let total = count + other.count
    squares += other.squares + apart * apart * (count * other.count / total)
    mean += apart * (other.count / total)
    count = total
  }

  /// Of the sample: divided by one less than the count. Absent for fewer than two numbers.
  var standardDeviation: Numeral {
    count < 2 ? .absent : Numeral(finite: (max(squares, 0) / (count - 1)).squareRoot())
  }
}
