internal import DeviceKit

/// How a value went over a stretch of time: what follows from the order of its readings. Between readings the last one
/// holds (a step); after a reading of Bad quality nothing is known until the next good one.
///
/// Courses that follow one another join to one, which is how readings, panes and windows all come together.
struct Course: BitwiseCopyable {
  /// Whether there is a reading, good or bad.
  var isEmpty = true
  /// Whether a value is known from ``end`` on.
  var isKnown = false
  /// Whether the condition of `duration` holds from ``end`` on.
  var holds = false
  var isFractional = false
  /// Nanoseconds since 1970.
  var start: Int64 = 0
  /// All before is in the totals.
  var end: Int64 = 0
  /// The first and the last number, with their times.
  var first = Numeral.absent
  var firstTime: Int64 = 0
  var last = Numeral.absent
  var lastTime: Int64 = 0
  /// Nanoseconds for which a value was known, and for which the condition held.
  var known: Int64 = 0
  var held: Int64 = 0
  /// Value times seconds.
  var integral = CompensatedSum()
  /// What a counter rose by, where integers say so and where doubles do.
  var wholeIncrease: Int128 = 0
  var increase = CompensatedSum()

  init() {}

  /// A single reading; without a number, from here on nothing is known.
  init(_ number: Numeral, holds: Bool, at time: Int64) {
    isEmpty = false
    isKnown = !number.isAbsent
    self.holds = holds && isKnown
    (start, end) = (time, time)
    (first, firstTime) = (number, time)
    (last, lastTime) = (number, time)
  }

  /// What the course leaves to whatever begins at `time`: its last value goes on, its totals do not.
  func carried(to time: Int64) -> Course {
    var carried = Course()
    carried.isEmpty = isEmpty
    (carried.isKnown, carried.holds) = (isKnown, holds)
    (carried.start, carried.end) = (time, time)
    (carried.first, carried.firstTime) = (last, lastTime)
    (carried.last, carried.lastTime) = (last, lastTime)
    return carried
  }

  /// Lets the last value go on until `time`.
  mutating func hold(to time: Int64) {
    guard !isEmpty, time > end else { return }
    let span = time - end
    if isKnown {
      known += span
      integral.add(last.double * (Double(span) / 1e9))
    }
    if holds { held += span }
    end = time
  }

  /// Takes the course that follows.
  mutating func append(_ later: Course) {
    guard !later.isEmpty else { return }
    guard !isEmpty else {
      self = later
      return
    }
    hold(to: later.start)
    if !later.first.isAbsent {
      if !last.isAbsent { rise(from: last, to: later.first) }
      if first.isAbsent { (first, firstTime) = (later.first, later.firstTime) }
      (last, lastTime) = (later.last, later.lastTime)
    }
    known += later.known
    held += later.held
    integral.add(later.integral)
    wholeIncrease += later.wholeIncrease
    increase.add(later.increase)
    isFractional = isFractional || later.isFractional
    (isKnown, holds, end) = (later.isKnown, later.holds, later.end)
  }

  /// A counter that fell has begun again at zero (Prometheus, `increase`).
  private mutating func rise(from earlier: Numeral, to later: Numeral) {
    if let before = earlier.exact, let after = later.exact {
      wholeIncrease += after >= before ? after - before : max(after, 0)
    } else {
      let (before, after) = (earlier.double, later.double)
      isFractional = true
      increase.add(after >= before ? after - before : max(after, 0))
    }
  }

  /// What a counter rose by.
  var risen: Numeral {
    if first.isAbsent { return .absent }
    return isFractional ? Numeral(finite: Double(wholeIncrease) + increase.value) : Numeral(exact: wholeIncrease)
  }
}

/// The newest readings of a window, in the order of their times, until they are old enough to join its course: what
/// comes out of order by no more than these finds its place.
struct RecentReading: BitwiseCopyable {
  var time: Int64 = 0
  var number = Numeral.absent
  var holds = false
}
