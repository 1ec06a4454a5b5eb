internal import Documents

extension PipelineSpecification.Aggregate {
  /// Windows are at most a week long: their ends then stay far from the limits of 64-bit nanoseconds.
  private static let longest = Duration.seconds(7 * 86_400)
  /// How many panes one series may hold.
  private static let mostPanes: Int64 = 1_000

  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard var window = try reader.object("window") else { throw reader.error("window", "is required") }
    self.init(window: try Self.window(&window), functions: try Self.functions(&reader))
    lateness = try Self.duration(&reader, "lateness", allowingZero: true) ?? .zero
    offset = try Self.duration(&reader, "offset", allowingZero: true) ?? .zero
    durationWhere = try Self.expression(&reader, "durationWhere")
    time = try Self.choice(&reader, "time") ?? .event
    empty = try Self.choice(&reader, "empty") ?? .skip
    groups = try Self.groups(&reader)
    try readLate(&reader)
    try check(reader)
    try reader.finish()
  }

  private mutating func readLate(_ reader: inout SpecificationReader) throws(SpecificationError) {
    let span = try Self.duration(&reader, "correctFor")
    switch try reader.string("late") {
    case nil, "Drop":
      guard span == nil else { throw reader.error("correctFor", "has no meaning unless late is Correct") }
    case "Correct":
      guard let step = step else { throw reader.error("late", "Correct needs a tumbling or hopping window") }
      late = .correct(for: span ?? .nanoseconds(min(step * 60, Self.longest.nanoseconds)))
    case .some(let text): throw reader.error("late", "'\(text)' is not Drop or Correct")
    }
  }

  /// The period at which aligned windows begin; nil for other kinds.
  private var step: Int64? {
    switch window {
    case .tumbling(let size): size.nanoseconds
    case .hopping(_, let every): every.nanoseconds
    default: nil
    }
  }

  /// What the fields must be to one another.
  private func check(_ reader: SpecificationReader) throws(SpecificationError) {
    if let step {
      guard offset.nanoseconds < step else { throw reader.error("offset", "must be shorter than the windows' period") }
    } else {
      guard offset == .zero else { throw reader.error("offset", "needs a tumbling or hopping window") }
      guard empty == .skip else { throw reader.error("empty", "\(empty.rawValue) needs a tumbling or hopping window") }
    }
    switch window {
    case .sliding, .count, .state:
      guard lateness == .zero else {
        throw reader.error("lateness", "has no meaning for sliding, count and state windows, which do not wait")
      }
    case .tumbling, .hopping, .session: break
    }
    guard durationWhere == nil || functions.contains(.duration) else {
      throw reader.error("durationWhere", "has no meaning without the function 'duration'")
    }
    let panes = Panes(self)
    var span = panes.size + panes.pane
    if case .correct(let kept) = late { span += kept.nanoseconds }
    guard !panes.areWindows || late != .drop, span / panes.pane > Self.mostPanes else { return }
    if late != .drop {
      throw reader.error(
        "correctFor", "keeps \(span / panes.pane) panes for a series, at most \(Self.mostPanes) are; make it shorter")
    }
    if case .hopping = window {
      throw reader.error(
        "window.hopping.every",
        "size and every have no common measure of at least a 1000th of the size; choose rounder ones")
    }
  }

  private static func window(_ reader: inout SpecificationReader) throws(SpecificationError) -> Window {
    guard reader.keys.count == 1, let kind = reader.keys.first else {
      throw SpecificationError(
        path: reader.path, message: "must name exactly one kind of window, names \(reader.keys.count)")
    }
    if kind == "tumbling" {
      guard let size = try duration(&reader, kind) else { throw reader.error(kind, "is required") }
      return .tumbling(size)
    }
    guard ["hopping", "sliding", "session", "count", "state"].contains(kind) else {
      throw reader.error(kind, "unknown kind; known: tumbling, hopping, sliding, session, count, state")
    }
    guard var fields = try reader.object(kind) else { throw reader.error(kind, "must be an object") }
    let window = try self.window(kind, &fields)
    try fields.finish()
    return window
  }

  private static func window(
    _ kind: String, _ fields: inout SpecificationReader
  ) throws(SpecificationError) -> Window {
    switch kind {
    case "hopping":
      let size = try required(&fields, "size")
      let every = try required(&fields, "every")
      guard every <= size else {
        throw fields.error("every", "must not be longer than size: samples between the windows would be lost")
      }
      return .hopping(size: size, every: every)
    case "sliding": return .sliding(try required(&fields, "size"))
    case "session":
      let gap = try required(&fields, "gap")
      let max = try duration(&fields, "max")
      if let max, max < gap { throw fields.error("max", "must not be shorter than gap") }
      return .session(gap: gap, max: max)
    case "count":
      guard let size = try fields.number("size") else { throw fields.error("size", "is required") }
      guard let size = Int(exactly: size), (1...1_000_000).contains(size) else {
        throw fields.error("size", "must be a whole number from 1 to 1000000")
      }
      return .count(size)
    default: return .state(of: try expression(&fields, "of"))
    }
  }

  private static func functions(
    _ reader: inout SpecificationReader
  ) throws(SpecificationError) -> [PipelineSpecification.Function] {
    guard let names = try reader.strings("functions"), !names.isEmpty else {
      throw reader.error("functions", "must list at least one function")
    }
    var functions: [PipelineSpecification.Function] = []
    for (index, name) in names.enumerated() {
      guard let function = PipelineSpecification.Function(rawValue: name) else {
        let known = PipelineSpecification.Function.allCases.map(\.rawValue).joined(separator: ", ")
        throw reader.error("functions[\(index)]", "unknown function '\(name)'; known: \(known)")
      }
      guard !functions.contains(function) else {
        throw reader.error("functions[\(index)]", "lists '\(name)' a second time")
      }
      functions.append(function)
    }
    return functions
  }

  /// Property and device together are the series.
  private static func groups(_ reader: inout SpecificationReader) throws(SpecificationError) -> [Dimension]? {
    guard let names = try reader.strings("by") else { return nil }
    var dimensions: [Dimension] = []
    for (index, name) in names.enumerated() {
      let dimension: Dimension
      switch name {
      case "property": dimension = .property
      case "device": dimension = .device
      default:
        guard name.hasPrefix("label:"), name.utf8.count > 6 else {
          throw reader.error("by[\(index)]", "'\(name)' is not property, device or label:KEY")
        }
        dimension = .label(String(name.dropFirst(6)))
      }
      guard !dimensions.contains(dimension) else {
        throw reader.error("by[\(index)]", "lists '\(name)' a second time")
      }
      dimensions.append(dimension)
    }
    return dimensions.contains(.device) && dimensions.contains(.property) ? nil : dimensions
  }

  private static func required(
    _ reader: inout SpecificationReader, _ key: String
  ) throws(SpecificationError) -> Duration {
    guard let duration = try duration(&reader, key) else { throw reader.error(key, "is required") }
    return duration
  }

  private static func duration(
    _ reader: inout SpecificationReader, _ key: String, allowingZero: Bool = false
  ) throws(SpecificationError) -> Duration? {
    guard let duration = try reader.duration(key, allowingZero: allowingZero) else { return nil }
    guard duration <= longest else { throw reader.error(key, "must be at most 168h") }
    return duration
  }

  private static func expression(
    _ reader: inout SpecificationReader, _ key: String
  ) throws(SpecificationError) -> Expression? {
    guard let text = try reader.string(key) else { return nil }
    do {
      return try Expression(text)
    } catch {
      throw reader.error(key, "\(error)")
    }
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ reader: inout SpecificationReader, _ key: String
  ) throws(SpecificationError) -> Choice? {
    guard let text = try reader.string(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw reader.error(key, "'\(text)' is not \(Choice.allCases.map(\.rawValue).joined(separator: " or "))")
    }
    return choice
  }
}
