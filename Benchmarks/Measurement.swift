/// One row of the benchmark's table: what ours costs against a floor measured in the same run.
struct Measurement {
  var name: String
  var ours: Double
  var floor: Double
  /// Of both figures.
  var unit: String
  var ratio: Double { ours / floor }

  /// The best of several runs, in turn, so that both sides meet the same disturbances.
  static func best(of rounds: Int, _ name: String, unit: String, ours: () -> Double, floor: () -> Double) -> Measurement
  {
    var measurement = Measurement(name: name, ours: .infinity, floor: .infinity, unit: unit)
    for _ in 0..<rounds {
      measurement.floor = min(measurement.floor, floor())
      measurement.ours = min(measurement.ours, ours())
    }
    return measurement
  }
}
