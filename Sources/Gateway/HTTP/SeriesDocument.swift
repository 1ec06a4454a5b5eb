internal import DeviceKit
internal import Documents
internal import Telemetry

/// A JSON document with a list of series, in pieces of bounded size: what a response writes one after the other.
struct SeriesDocument: Sendable {
  struct Series: Sendable {
    var json: JSONValue
    /// Nil: none are told.
    var points: [TelemetryAnswer.Point]?
  }

  private enum Place {
    case head
    case series(Int)
    case points(of: Int, from: Int)
    case end
  }

  /// Points of a piece.
  private static let most = 500
  private let head: JSONValue
  private let series: [Series]
  private var place: Place? = .head

  init(head: JSONValue, keptSince: Timestamp?, next: String?, series: [Series]) {
    var head = head
    head["keptSince"] = keptSince.map { .string($0.description) }
    head["continue"] = next.map { .string($0) }
    self.head = head
    self.series = series
  }

  /// The next piece; nil behind the last.
  mutating func next() -> [UInt8]? {
    guard let place else { return nil }
    switch place {
    case .head:
      self.place = series.isEmpty ? .end : .series(0)
      return head.serialised().dropLast() + Array("\(head.object?.isEmpty ?? true ? "" : ",")\"series\":[".utf8)
    case .series(let index):
      var bytes: [UInt8] = index == 0 ? [] : [UInt8(ascii: ",")]
      guard series[index].points != nil else {
        self.place = following(index)
        series[index].json.write(to: &bytes)
        return bytes
      }
      self.place = .points(of: index, from: 0)
      // The object is left open for its points.
      return bytes + series[index].json.serialised().dropLast() + Array(#","points":["#.utf8)
    case .points(let index, let start):
      let points = series[index].points ?? []
      let end = min(start + Self.most, points.count)
      var bytes: [UInt8] = []
      for place in start..<end {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.write(points[place], to: &bytes)
      }
      if end < points.count {
        self.place = .points(of: index, from: end)
      } else {
        bytes += Array("]}".utf8)
        self.place = following(index)
      }
      return bytes
    case .end:
      self.place = nil
      return Array("]}\n".utf8)
    }
  }

  private func following(_ index: Int) -> Place { index + 1 < series.count ? .series(index + 1) : .end }

  private static func write(_ point: TelemetryAnswer.Point, to bytes: inout [UInt8]) {
    let time = Timestamp(nanoseconds: point.time)
    let text = point.time % 1_000_000 == 0 ? time.description : time.microsecondsText
    JSONValue.array([.string(text)] + point.values.map { $0?.json ?? .null }).write(to: &bytes)
  }
}
