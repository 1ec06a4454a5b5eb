internal import DeviceKit

/// What an aggregate's functions ask for beside a ``WindowCell``.
struct WindowNeeds: OptionSet {
  let rawValue: UInt8
  /// First and last sample.
  static let edges = WindowNeeds(rawValue: 1)
  static let moments = WindowNeeds(rawValue: 2)
  static let sketch = WindowNeeds(rawValue: 4)
  static let course = WindowNeeds(rawValue: 8)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  init(_ aggregate: PipelineSpecification.Aggregate) {
    self = []
    for function in aggregate.functions {
      switch function {
      case .mean, .min, .max, .sum, .count: break
      case .first, .last: insert(.edges)
      case .stddev: insert(.moments)
      case .median, .p90, .p95, .p99: insert(.sketch)
      case .rate, .increase, .delta, .integral, .timeWeightedMean, .duration, .validPercentage: insert(.course)
      }
    }
    switch aggregate.window {
    case .tumbling, .hopping, .sliding: break
    case .session, .count, .state: insert(.edges)
    }
    if aggregate.empty == .last { insert(.edges) }
  }
}

/// What windows keep beside their cells: by place, only such tables as are needed.
struct WindowParts: ~Copyable {
  private(set) var edges = SlotTable(initial: EdgeCell())
  private(set) var moments = SlotTable(initial: Moments())
  private var courses = SlotTable(initial: Course())
  /// ``recent`` readings of each place.
  private var readings = SlotTable(initial: RecentReading())
  private var readingCounts = SlotTable<UInt8>(initial: 0)
  private(set) var sketches: [QuantileSketch] = []
  private(set) var shelf = SideShelf()
  private var free: [Int32] = []
  private var count = 0
  private(set) var needs: WindowNeeds = []
  private var condition = WindowCondition(nil)
  /// Readings that came out of order by more than ``recent`` of their window: no part of its course.
  private(set) var misplaced: UInt64 = 0

  /// How many readings of a window wait for one that comes before them.
  static let recent = 16

  /// Says what windows need and when `duration` counts; before the first window.
  mutating func prepare(for needs: WindowNeeds, condition: WindowCondition) {
    self.needs = needs
    self.condition = condition
  }

  /// A place for a window without a sample; -1 where nothing is needed.
  mutating func make() -> Int32 {
    guard !needs.isEmpty else { return -1 }
    if let place = free.popLast() {
      clear(place)
      return place
    }
    count += 1
    if needs.contains(.edges) { edges.grow(to: count) }
    if needs.contains(.moments) { moments.grow(to: count) }
    if needs.contains(.sketch) { sketches.append(QuantileSketch()) }
    if needs.contains(.course) {
      courses.grow(to: count)
      readings.grow(to: count * Self.recent)
      readingCounts.grow(to: count)
    }
    return Int32(count - 1)
  }

  /// Empties a place. What the shelf holds for it stays.
  mutating func clear(_ place: Int32) {
    let place = Int(place)
    if needs.contains(.edges) { edges.cells[place] = EdgeCell() }
    if needs.contains(.moments) { moments.cells[place] = Moments() }
    if needs.contains(.sketch) { sketches[place].removeAll() }
    if needs.contains(.course) {
      courses.cells[place] = Course()
      readingCounts.cells[place] = 0
    }
  }

  /// Gives a window's place back.
  mutating func release(_ place: Int32) {
    guard place >= 0 else { return }
    if needs.contains(.edges) {
      let edge = edges.cells[Int(place)]
      if edge.firstKind == .side { _ = shelf.take(edge.first) }
      if edge.lastKind == .side { _ = shelf.take(edge.last) }
    }
    free.append(place)
  }

  /// Takes a sample that the window's cell takes too.
  mutating func take(_ columns: BatchColumns, _ row: Int, at time: Int64, into place: Int32) {
    let kind = columns.kinds[row]
    if needs.contains(.edges) { takeEdge(columns, row, time, edges.cells + Int(place)) }
    if needs.contains(.course) { takeReading(columns, row, time, place) }
    guard kind == .number || kind == .integer || kind == .unsigned else { return }
    let number = Numeral(kind: kind, payload: columns.payloads[row])
    if needs.contains(.moments) { moments.cells[Int(place)].add(number) }
    if needs.contains(.sketch) { sketches[Int(place)].add(number.double) }
  }

  private mutating func takeEdge(
    _ columns: BatchColumns, _ row: Int, _ time: Int64, _ edge: UnsafeMutablePointer<EdgeCell>
  ) {
    let kind = columns.kinds[row]
    let side: Value? = kind == .side ? columns.sideValues[Int(columns.payloads[row])] : nil
    if edge.pointee.firstKind == .none || time < edge.pointee.firstTime {
      if edge.pointee.firstKind == .side { _ = shelf.take(edge.pointee.first) }
      edge.pointee.first = side.map { shelf.put($0) } ?? columns.payloads[row]
      (edge.pointee.firstTime, edge.pointee.firstKind) = (time, kind)
    }
    if edge.pointee.lastKind == .none || time >= edge.pointee.lastTime {
      if edge.pointee.lastKind == .side { _ = shelf.take(edge.pointee.last) }
      edge.pointee.last = side.map { shelf.put($0) } ?? columns.payloads[row]
      (edge.pointee.lastTime, edge.pointee.lastKind) = (time, kind)
    }
  }

  /// Takes a reading into the window's course; one of Bad quality or without a number ends what was known.
  mutating func takeReading(_ columns: BatchColumns, _ row: Int, _ time: Int64, _ place: Int32) {
    let (kind, payload, quality) = (columns.kinds[row], columns.payloads[row], columns.qualities[row])
    let number = quality == .bad ? .absent : Numeral(kind: kind, payload: payload)
    let holds = !number.isAbsent && condition.holds(number.double, quality)
    let (course, base) = (courses.cells + Int(place), readings.cells + Int(place) * Self.recent)
    guard course.pointee.isEmpty || time >= course.pointee.end else {
      misplaced += 1
      return
    }
    var filled = Int(readingCounts.cells[Int(place)])
    if filled == Self.recent, time >= base.pointee.time {
      course.pointee.append(Course(base.pointee.number, holds: base.pointee.holds, at: base.pointee.time))
      filled -= 1
      base.update(from: base + 1, count: filled)
    } else if filled == Self.recent {
      course.pointee.append(Course(number, holds: holds, at: time))
      return
    }
    var position = filled
    while position > 0, base[position - 1].time > time {
      base[position] = base[position - 1]
      position -= 1
    }
    base[position] = RecentReading(time: time, number: number, holds: holds)
    readingCounts.cells[Int(place)] = UInt8(filled + 1)
  }

  /// The window's course so far, or up to a time among its newest readings.
  func course(of place: Int32, through last: Int64 = .max) -> Course {
    var course = courses.cells[Int(place)]
    let base = readings.cells + Int(place) * Self.recent
    for index in 0..<Int(readingCounts.cells[Int(place)]) where base[index].time <= last {
      course.append(Course(base[index].number, holds: base[index].holds, at: base[index].time))
    }
    return course
  }

  /// Takes all that a later window has taken. `owning`: the later window's place is given back, with what the shelf
  /// holds for it; else it stays as it is.
  mutating func add(_ later: Int32, to place: Int32, owning: Bool) {
    let (into, from) = (Int(place), Int(later))
    if needs.contains(.edges) { addEdge(edges.cells[from], to: edges.cells + into, owning: owning) }
    if needs.contains(.moments) { moments.cells[into].add(moments.cells[from]) }
    if needs.contains(.sketch) {
      let other = sketches[from]
      sketches[into].add(other)
    }
    if needs.contains(.course) {
      var course = course(of: place)
      course.append(courses.cells[from])
      courses.cells[into] = course
      readingCounts.cells[into] = readingCounts.cells[from]
      (readings.cells + into * Self.recent).update(
        from: readings.cells + from * Self.recent, count: Int(readingCounts.cells[from]))
    }
    if owning { free.append(later) }
  }

  private mutating func addEdge(_ later: EdgeCell, to edge: UnsafeMutablePointer<EdgeCell>, owning: Bool) {
    guard later.firstKind != .none else { return }
    if edge.pointee.firstKind == .none {
      edge.pointee = later
      return
    }
    if edge.pointee.lastTime <= later.lastTime {
      if owning, edge.pointee.lastKind == .side { _ = shelf.take(edge.pointee.last) }
      (edge.pointee.last, edge.pointee.lastKind, edge.pointee.lastTime) = (later.last, later.lastKind, later.lastTime)
    } else if owning, later.lastKind == .side {
      _ = shelf.take(later.last)
    }
    if owning, later.firstKind == .side { _ = shelf.take(later.first) }
  }
}

extension WindowParts {
  func save(_ place: Int32, to output: inout ByteWriter) {
    guard place >= 0 else { return }
    if needs.contains(.edges) { edges.cells[Int(place)].save(shelf, to: &output) }
    if needs.contains(.moments) { moments.cells[Int(place)].save(to: &output) }
    if needs.contains(.sketch) { sketches[Int(place)].save(to: &output) }
    guard needs.contains(.course) else { return }
    courses.cells[Int(place)].save(to: &output)
    let filled = readingCounts.cells[Int(place)]
    output.byte(filled)
    for index in 0..<Int(filled) {
      let reading = readings.cells[Int(place) * Self.recent + index]
      output.fixed(reading.time)
      output.numeral(reading.number)
      output.byte(reading.holds ? 1 : 0)
    }
  }

  /// A place that holds what ``save(_:to:)`` wrote under the same needs.
  mutating func restore(from input: inout ByteReader) throws(DecodingFault) -> Int32 {
    let place = make()
    guard place >= 0 else { return place }
    if needs.contains(.edges) { edges.cells[Int(place)] = try EdgeCell(from: &input, &shelf) }
    if needs.contains(.moments) { moments.cells[Int(place)] = try Moments(from: &input) }
    if needs.contains(.sketch) { sketches[Int(place)] = try QuantileSketch(from: &input) }
    guard needs.contains(.course) else { return place }
    courses.cells[Int(place)] = try Course(from: &input)
    let filled = try input.byte()
    guard filled <= Self.recent else { throw DecodingFault() }
    readingCounts.cells[Int(place)] = filled
    for index in 0..<Int(filled) {
      let time: Int64 = try input.fixed()
      let number = try input.numeral()
      readings.cells[Int(place) * Self.recent + index] = RecentReading(
        time: time, number: number, holds: try input.byte() == 1)
    }
    return place
  }
}
