internal import DeviceKit
internal import Documents
internal import SinkKit

extension Historian {
  /// Queries that may be under way at a time: each holds its answer in memory.
  private static let mostRunning = 4

  /// The points of the query's series. Reads in pieces, between which rows are written.
  func answer(_ query: TelemetryQuery) async throws(QueryProblem) -> TelemetryAnswer {
    try await counted { () throws(QueryProblem) in
      try Self.check(query)
      let wanted = try prepare(query.selection)
      let window = window(query)
      guard let step = query.step?.nanoseconds else { return try await points(query, wanted, window) }
      return try await steps(query, wanted, window, step)
    }
  }

  /// The series that are kept, in the order of their names.
  func series(_ selection: TelemetryQuery.Selection, limit: Int, after: String?)
    async throws(QueryProblem) -> KeptSeries
  {
    try await counted { () throws(QueryProblem) in
      guard (1...TelemetryQuery.mostPoints).contains(limit) else { throw Self.limitProblem }
      let all = try prepare(selection)
      let (page, next) = try Self.page(all, limit: limit, after: after)
      var fields: [String: [String]] = [:]
      for (_, index) in indexes.sorted(by: { $0.key < $1.key }) {
        for layout in index.allLayouts { fields[layout.pipeline] = layout.fields }
      }
      return KeptSeries(
        series: page.map { series in
          KeptSeries.Entry(
            pipeline: series.key.pipeline, description: catalogue.description(of: series.handle),
            fields: fields[series.key.pipeline] ?? [])
        }, next: next, keptSince: keptSince)
    }
  }

  private func counted<Answer: Sendable>(_ body: () async throws(QueryProblem) -> Answer)
    async throws(QueryProblem) -> Answer
  {
    guard running < Self.mostRunning else {
      counters.refused += 1
      throw .busy
    }
    running += 1
    defer { running -= 1 }
    do {
      let answer = try await body()
      counters.answered += 1
      return answer
    } catch {
      counters.refused += 1
      throw error
    }
  }

  // MARK: What is asked

  private static let limitProblem = QueryProblem.invalid(
    parameter: "limit", message: "must be a whole number between 1 and \(TelemetryQuery.mostPoints)")

  private static func check(_ query: TelemetryQuery) throws(QueryProblem) {
    guard (1...TelemetryQuery.mostPoints).contains(query.limit) else { throw limitProblem }
    guard query.start < query.end else { throw .invalid(parameter: "start", message: "must be before end") }
    guard query.fields.count <= TelemetryQuery.mostFields else {
      throw .invalid(parameter: "field", message: "names more than \(TelemetryQuery.mostFields) fields")
    }
    guard let step = query.step else { return }
    guard step >= .milliseconds(1) else { throw .invalid(parameter: "step", message: "must be at least 1ms") }
    if let field = query.fields.first(where: FieldJoin.impossible.contains) {
      throw .invalid(
        parameter: "field", message: "'\(field)' of several windows cannot be joined in steps: leave step out")
    }
    let steps = StepCollector.steps(query.start.nanoseconds..<query.end.nanoseconds, step.nanoseconds)
    guard steps <= query.limit else {
      throw .invalid(
        parameter: "step",
        message: "makes \(steps) points of a series, and limit is \(query.limit): take a longer step, or a shorter time"
      )
    }
  }

  /// What is older than the settings allow is not told, though it may stand in a segment with younger records.
  private func window(_ query: TelemetryQuery) -> Range<Int64> {
    let oldest = clock.now.nanoseconds.subtractingReportingOverflow(settings.maxAge.nanoseconds)
    let start = max(query.start.nanoseconds, oldest.overflow ? .min : oldest.partialValue)
    return start..<max(start, query.end.nanoseconds)
  }

  private var keptSince: Timestamp? {
    let oldest = clock.now + (.zero - settings.maxAge)
    return indexes.values.flatMap(\.blocks).map(\.first).min().map { max(oldest, Timestamp(nanoseconds: $0)) }
  }

  // MARK: Series

  private struct Wanted {
    var key: SeriesCatalogue.Key
    var handle: UInt32
    var name: String { [key.pipeline, key.point.device.name, key.point.property].joined(separator: "\u{0}") }
  }

  /// Takes all to disk that was put out before, and finds the series that are meant, sorted.
  private func prepare(_ selection: TelemetryQuery.Selection) throws(QueryProblem) -> [Wanted] {
    guard settings.keep != .nothing else { throw .keepsNothing }
    write()
    var members = HandleSet()
    for segment in spool?.segments ?? [] { members.formUnion(try index(of: segment)?.members ?? HandleSet()) }
    let present = Set((spool?.segments ?? []).map(\.number))
    indexes = indexes.filter { present.contains($0.key) }
    return members.handles.compactMap { handle in
      let key = catalogue.key(of: handle)
      return selection.matches(key) ? Wanted(key: key, handle: handle) : nil
    }.sorted { $0.name < $1.name }
  }

  /// Brought up to the segment's end; nil for a segment that is gone.
  private func index(of segment: Spool.Segment) throws(QueryProblem) -> SegmentIndex? {
    var index = indexes.removeValue(forKey: segment.number) ?? SegmentIndex()
    guard index.scanned < segment.length else {
      indexes[segment.number] = index
      return index
    }
    guard let file = try open(segment) else { return nil }
    counters.readBytes += UInt64(segment.length - index.scanned)
    do {
      try index.extend(file, to: segment.length, catalogue: catalogue)
    } catch {
      throw .unreadable(error.message)
    }
    indexes[segment.number] = index
    return index
  }

  private func open(_ segment: Spool.Segment) throws(QueryProblem) -> StoredFile? {
    do {
      return try StoredFile("\(directory)/\(SegmentFormat.name(of: segment.number))", .read)
    } catch {
      if error.reason == "NotFound" { return nil }
      throw .unreadable(error.message)
    }
  }

  /// Those behind the one that `after` names; at most `limit`.
  private static func page(_ all: [Wanted], limit: Int, after: String?)
    throws(QueryProblem) -> (page: ArraySlice<Wanted>, next: String?)
  {
    var rest = all[...]
    if let after {
      guard let last = Token.name(after) else { throw Token.problem(after) }
      rest = rest.drop { $0.name <= last }
    }
    let page = rest.prefix(limit)
    return (page, page.count < rest.count ? page.last.map { Token.text(of: $0.name) } : nil)
  }

  // MARK: Points

  private func points(_ query: TelemetryQuery, _ wanted: [Wanted], _ window: Range<Int64>)
    async throws(QueryProblem) -> TelemetryAnswer
  {
    var first: UInt64 = 0
    if let after = query.after {
      guard let ordinal = Token.ordinal(after) else { throw Token.problem(after) }
      first = ordinal
    }
    let collector = PointCollector(query, window, from: first)
    try await scan(wanted[...], window, from: first, into: collector)
    return TelemetryAnswer(
      series: collector.result.map { found in
        let series = wanted[found.slot]
        return TelemetryAnswer.Series(
          pipeline: series.key.pipeline, description: catalogue.description(of: series.handle), fields: found.fields,
          approximate: [], points: found.points)
      }, next: collector.next.map { Token.text(of: $0) }, keptSince: keptSince)
  }

  private func steps(_ query: TelemetryQuery, _ wanted: [Wanted], _ window: Range<Int64>, _ step: Int64)
    async throws(QueryProblem) -> TelemetryAnswer
  {
    let each = max(1, StepCollector.steps(query.start.nanoseconds..<query.end.nanoseconds, step))
    let (page, next) = try Self.page(wanted, limit: max(1, query.limit / each), after: query.after)
    var superseded: [WindowName: Int64] = [:]
    let revision = PipelineSpecification.Aggregate.revision
    if indexes.values.contains(where: { $0.allLayouts.contains { $0.fields.contains(revision) } }) {
      let revisions = RevisionCollector(window)
      try await scan(page, window, into: revisions)
      guard !revisions.isOverfull else {
        throw .invalid(
          parameter: "start",
          message: "more than \(RevisionCollector.most) windows were corrected since: take a shorter time")
      }
      superseded = revisions.latest
    }
    let collector = StepCollector(query, window, step: step, superseded: superseded)
    try await scan(page, window, into: collector)
    return TelemetryAnswer(
      series: collector.result.map { found in
        let series = page[page.startIndex + found.slot]
        return TelemetryAnswer.Series(
          pipeline: series.key.pipeline, description: catalogue.description(of: series.handle), fields: found.fields,
          approximate: found.approximate, points: found.points)
      }, next: next, keptSince: keptSince)
  }

  /// Hands the collector the entries that may hold records of these series and of this time, in the order of the log.
  private func scan(
    _ wanted: ArraySlice<Wanted>, _ window: Range<Int64>, from first: UInt64 = 0, into collector: any QueryCollector
  ) async throws(QueryProblem) {
    guard !wanted.isEmpty, !window.isEmpty else { return }
    let slots = Dictionary(uniqueKeysWithValues: wanted.enumerated().map { ($1.handle, $0) })
    let (lowest, highest) = (slots.keys.min() ?? 0, slots.keys.max() ?? 0)
    for segment in spool?.segments ?? [] {
      guard let index = indexes[segment.number], index.endOrdinal > first else { continue }
      let blocks = index.blocks.filter {
        $0.last >= window.lowerBound && $0.first < window.upperBound && $0.lowest <= highest && $0.highest >= lowest
      }
      guard !blocks.isEmpty, let file = try open(segment) else { continue }
      for block in blocks {
        var goesOn = true
        do {
          try SegmentScan(file).entries(from: block.start, to: block.end) { (bytes, payload, _) throws(DecodingFault) in
            guard goesOn, SegmentFormat.Kind(rawValue: bytes[payload.lowerBound]) == .records else { return }
            let columns = try RecordColumns(bytes, payload) { index.layout($0) }
            let places = columns.series.map { number in index.handle(number).flatMap { slots[$0] } }
            if places.contains(where: { $0 != nil }) { goesOn = collector.take(columns, places) }
          }
        } catch {
          throw .unreadable(error.message)
        }
        counters.readBytes += UInt64(block.end - block.start)
        guard goesOn, !Task.isCancelled else { return }
        // Rows that came meanwhile are written.
        await Task.yield()
      }
    }
  }

  /// Where an answer goes on: with a record, or with a series.
  private enum Token {
    static func text(of ordinal: UInt64) -> String { "r\(ordinal)" }
    static func text(of name: String) -> String {
      "s" + name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func ordinal(_ token: String) -> UInt64? { token.hasPrefix("r") ? UInt64(token.dropFirst()) : nil }

    static func name(_ token: String) -> String? {
      guard token.hasPrefix("s") else { return nil }
      let digits = Array(token.utf8.dropFirst())
      guard digits.count % 2 == 0 else { return nil }
      var bytes: [UInt8] = []
      for index in stride(from: 0, to: digits.count, by: 2) {
        guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
          return nil
        }
        bytes.append(byte)
      }
      return String(validating: bytes, as: UTF8.self)
    }

    static func problem(_ token: String) -> QueryProblem {
      .invalid(parameter: "continue", message: "'\(token)' is not what an earlier answer to the same query gave")
    }
  }
}
