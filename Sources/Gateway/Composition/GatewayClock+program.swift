internal import DeviceKit
internal import Documents
internal import Glibc
internal import Telemetry

extension GatewayClock {
  /// 2026-01-01: there was no such program before.
  private static let firstVersion = Timestamp(seconds: 1_767_225_600)

  /// The clock of this program over the spools in `directory`: a wall clock from before the program's commit is not set.
  ///
  /// The variable `SELVEDGE_CLOCK_OFFSET_FILE` is for tests: see ``system(history:earliest:offsetFile:)``.
  static func ofThisProgram(spools directory: String) -> GatewayClock {
    let built = BuildStamp.ofThisProgram.flatMap { Timestamp($0.date) } ?? firstVersion
    return system(
      history: ClockFile.load(in: directory), earliest: max(built, firstVersion),
      offsetFile: getenv("SELVEDGE_CLOCK_OFFSET_FILE").map { String(cString: $0) })
  }
}
