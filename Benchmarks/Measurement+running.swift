import Logging

extension Measurement {
  /// The best of several runs of work that waits, in turn, so that both sides meet the same disturbances.
  static func best(
    of rounds: Int, _ name: String, unit: String, ours: () async throws -> Double, floor: () async throws -> Double
  ) async throws -> Measurement {
    var measurement = Measurement(name: name, ours: .infinity, floor: .infinity, unit: unit)
    for _ in 0..<rounds {
      measurement.floor = min(measurement.floor, try await floor())
      measurement.ours = min(measurement.ours, try await ours())
    }
    return measurement
  }
}

/// Looks for `condition` every `period`, for at most 60 s.
func until(_ what: String, every period: Duration = .milliseconds(20), _ condition: () async -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while !(await condition()) {
    guard ContinuousClock.now < deadline else { throw BenchError("not within 60 s: \(what)") }
    try await Task.sleep(for: period)
  }
}

extension Logger {
  /// Says nothing but what makes a measurement worthless.
  static var silent: Logger {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    return logger
  }
}
