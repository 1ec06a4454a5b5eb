internal import DeviceKit
internal import SinkKit

/// One thing that journaled pipelines met, in the order in which they met it.
enum JournalEntry {
  /// A pipeline took a point for the first time, or anew under another description or range.
  case admission(pipeline: String, PointID, SeriesDescription, range: ClosedRange<Double>?)
  /// A pipeline no longer takes a point: its windows were closed.
  case refusal(pipeline: String, PointID)
  /// Samples of which some pipeline took some.
  case samples(SampleBatch)
  /// The gateway's clock closed windows or raised samples in these pipelines.
  case advance(to: Int64, pipelines: [String])
  /// The gateway's clock was set.
  case clock(ClockStep)
}

/// Encodes entries for one segment after the other. A segment names each point once, before its first sample; nothing
/// in it refers to another segment.
struct JournalEncoder {
  enum Kind: UInt8 {
    case point = 1
    case admission = 2
    case refusal = 3
    case samples = 4
    case advance = 5
    case clock = 6
  }

  /// Above this a segment is closed: what replaying takes into memory at once.
  static let segmentBytes = 1 << 20

  /// Of the next entry.
  private(set) var nextOrdinal: UInt64 = 0
  private var segment: UInt64 = 0
  private var segmentLength = Int.max
  private var numbers: [PointID: UInt64] = [:]

  /// What stands on disk ends before these; a new segment begins.
  init(nextOrdinal: UInt64, nextSegment: UInt64) {
    self.nextOrdinal = nextOrdinal
    segment = nextSegment - 1
  }

  /// Makes the bytes of an entry. `point` names a point.
  mutating func encode(_ entry: JournalEntry, points: PointTable, now: Int64) -> Journal.Piece {
    var piece = Journal.Piece()
    if segmentLength >= Self.segmentBytes {
      segment += 1
      segmentLength = 0
      numbers.removeAll(keepingCapacity: true)
      piece.beginning = SegmentFormat.Header(number: segment, firstOrdinal: nextOrdinal, madeAt: now)
    }
    var output = ByteWriter()
    var payload = ByteWriter()
    switch entry {
    case .admission(let pipeline, let point, let description, let range):
      let number = number(of: point, points, &output)
      begin(.admission, &payload)
      payload.string(pipeline)
      payload.varint(number)
      payload.description(description)
      payload.range(range)
    case .refusal(let pipeline, let point):
      let number = number(of: point, points, &output)
      begin(.refusal, &payload)
      payload.string(pipeline)
      payload.varint(number)
    case .samples(let batch):
      let numbers = batch.points.map { number(of: $0, points, &output) }
      begin(.samples, &payload)
      payload.samples(batch, numbers: numbers)
    case .advance(let time, let pipelines):
      begin(.advance, &payload)
      payload.zigzag(time)
      payload.varint(UInt64(pipelines.count))
      for pipeline in pipelines { payload.string(pipeline) }
    case .clock(let step):
      begin(.clock, &payload)
      payload.zigzag(step.by)
      payload.zigzag(step.from)
      payload.zigzag(step.sinceBoot)
    }
    SegmentFormat.append(payload.bytes, to: &output)
    segmentLength += output.bytes.count
    nextOrdinal += 1
    piece.bytes = output.bytes
    piece.endOrdinal = nextOrdinal
    return piece
  }

  private func begin(_ kind: Kind, _ payload: inout ByteWriter) {
    payload.byte(kind.rawValue)
    payload.varint(nextOrdinal)
  }

  private mutating func number(of point: PointID, _ points: PointTable, _ output: inout ByteWriter) -> UInt64 {
    if let number = numbers[point] { return number }
    let number = UInt64(numbers.count)
    numbers[point] = number
    var payload = ByteWriter()
    payload.byte(Kind.point.rawValue)
    payload.varint(number)
    payload.point(points.name(of: point))
    SegmentFormat.append(payload.bytes, to: &output)
    return number
  }
}

/// Reads the entries of one segment, in their order.
struct JournalDecoder {
  private var named: [UInt64: PointID] = [:]

  /// The entry and its ordinal; nil for a point's name.
  mutating func decode(
    _ bytes: [UInt8], _ payload: Range<Int>, points: PointTable
  ) throws(DecodingFault) -> (JournalEntry, ordinal: UInt64)? {
    var input = ByteReader(bytes, in: payload)
    guard let kind = JournalEncoder.Kind(rawValue: try input.byte()) else { throw DecodingFault() }
    let number = try input.varint()
    switch kind {
    case .point:
      named[number] = points.id(of: try input.point())
      return nil
    case .admission:
      let pipeline = try input.string()
      let point = try point(&input)
      let description = try input.description()
      return (.admission(pipeline: pipeline, point, description, range: try input.range()), number)
    case .refusal:
      let pipeline = try input.string()
      return (.refusal(pipeline: pipeline, try point(&input)), number)
    case .samples:
      return (.samples(try input.samples { named[$0] }), number)
    case .advance:
      let time = try input.zigzag()
      var pipelines: [String] = []
      for _ in 0..<(try input.count()) { pipelines.append(try input.string()) }
      return (.advance(to: time, pipelines: pipelines), number)
    case .clock:
      let by = try input.zigzag()
      let from = try input.zigzag()
      return (.clock(ClockStep(by: by, from: from, sinceBoot: try input.zigzag())), number)
    }
  }

  private func point(_ input: inout ByteReader) throws(DecodingFault) -> PointID {
    guard let point = named[try input.varint()] else { throw DecodingFault() }
    return point
  }
}
