internal import DeviceKit
internal import Documents
internal import SinkKit

/// The state of one pipeline at one moment, or what has changed of it since the checkpoint before.
struct Checkpoint: Sendable {
  enum Origin: Sendable {
    case point(PointName)
    case made(MadeSeries)
  }

  /// What a slot of the pipeline's table of series is.
  struct Identity: Sendable {
    var origin: Origin
    /// As the stages are told it; of a point that is no longer taken, and of a series that a stage made, as receivers
    /// are.
    var description: SeriesDescription
    var range: ClosedRange<Double>?
    var isTaken = true
  }

  /// `namespace/name`.
  var pipeline: String
  /// The spec under which the state was made.
  var spec: JSONValue
  /// When the state was as it is here; nil where an earlier version did not say.
  var madeAt: ClockMark?
  /// The journal's entries from this ordinal on come on top of the state.
  var journal: UInt64
  /// Whether it stands by itself; else it adds to those before.
  var isWhole = true
  /// By place in the pipeline's table of series; a later checkpoint names only those that came since.
  var identities: [Int: Identity] = [:]
  /// The state of stages and windows, by the same place.
  var states: [Int: [UInt8]] = [:]
  /// The number of the last record that had left the pipeline, by series.
  var sequences: [PointName: UInt64] = [:]

  /// Puts a later one on top.
  mutating func merge(_ later: Checkpoint) {
    guard !later.isWhole else { return self = later }
    (spec, journal, madeAt) = (later.spec, later.journal, later.madeAt)
    identities.merge(later.identities) { $1 }
    states.merge(later.states) { $1 }
    sequences.merge(later.sequences) { $1 }
  }
}

// MARK: Coding

extension Checkpoint {
  func encode(to output: inout ByteWriter) {
    output.string(pipeline)
    output.blob(spec.serialised())
    output.varint(journal)
    output.byte((isWhole ? 1 : 0) | (madeAt == nil ? 0 : 2))
    if let madeAt {
      output.string(madeAt.boot)
      output.fixed(madeAt.stamp)
      output.fixed(madeAt.sinceBoot)
    }
    output.varint(UInt64(identities.count))
    for (place, identity) in identities.sorted(by: { $0.key < $1.key }) {
      output.varint(UInt64(place))
      switch identity.origin {
      case .point(let name):
        output.varint(0)
        output.point(name)
      case .made(let made):
        output.varint(UInt64(made.stage) + 1)
        output.point(made.name)
      }
      output.description(identity.description)
      output.range(identity.range)
      output.byte(identity.isTaken ? 1 : 0)
    }
    output.varint(UInt64(states.count))
    var previous: [UInt8] = []
    var last = 0
    for (place, state) in states.sorted(by: { $0.key < $1.key }) {
      output.varint(UInt64(place - last))
      output.difference(state, from: previous)
      (last, previous) = (place, state)
    }
    output.varint(UInt64(sequences.count))
    for (point, sequence) in sequences {
      output.point(point)
      output.varint(sequence)
    }
  }

  init(from input: inout ByteReader) throws(DecodingFault) {
    pipeline = try input.string()
    guard let spec = try? JSONValue(parsing: try input.blob()) else { throw DecodingFault() }
    self.spec = spec
    journal = try input.varint()
    let flags = try input.byte()
    isWhole = flags & 1 != 0
    if flags & 2 != 0 {
      let boot = try input.string()
      let stamp: Int64 = try input.fixed()
      madeAt = ClockMark(boot: boot, stamp: stamp, sinceBoot: try input.fixed())
    }
    for _ in 0..<(try input.count()) {
      let place = try Self.place(&input)
      let stage = try Self.place(&input)
      let name = try input.point()
      let origin = stage == 0 ? Origin.point(name) : .made(MadeSeries(stage: stage - 1, name: name))
      identities[place] = Identity(
        origin: origin, description: try input.description(), range: try input.range(),
        isTaken: try input.byte() != 0)
    }
    var previous: [UInt8] = []
    var last = 0
    for _ in 0..<(try input.count()) {
      last += try Self.place(&input)
      previous = try input.difference(from: previous)
      states[last] = previous
    }
    for _ in 0..<(try input.count()) {
      let point = try input.point()
      sequences[point] = try input.varint()
    }
  }

  /// A number that fits a table of series.
  private static func place(_ input: inout ByteReader) throws(DecodingFault) -> Int {
    let number = try input.varint()
    guard number < 1 << 31 else { throw DecodingFault() }
    return Int(number)
  }
}

extension ByteWriter {
  /// Bytes as what differs from others of the same length: a bit for each that does, then those that do. The states of a
  /// pipeline's series share times, kinds and the high bytes of much else.
  mutating func difference(_ content: [UInt8], from other: [UInt8]) {
    varint(UInt64(content.count) << 1 | (content.count == other.count ? 1 : 0))
    guard content.count == other.count else { return bytes.append(contentsOf: content) }
    var start = 0
    while start < content.count {
      let end = min(start + 8, content.count)
      var mask: UInt8 = 0
      for index in start..<end where content[index] != other[index] { mask |= 1 << UInt8(index - start) }
      byte(mask)
      for index in start..<end where content[index] != other[index] { byte(content[index]) }
      start = end
    }
  }
}

extension ByteReader {
  mutating func difference(from other: [UInt8]) throws(DecodingFault) -> [UInt8] {
    let head = try varint()
    guard head & 1 == 1 else {
      guard head >> 1 < 1 << 26 else { throw DecodingFault() }
      var content: [UInt8] = []
      for _ in 0..<Int(head >> 1) { content.append(try byte()) }
      return content
    }
    guard head >> 1 == UInt64(other.count) else { throw DecodingFault() }
    var content = other
    var start = 0
    while start < content.count {
      let mask = try byte()
      for index in start..<min(start + 8, content.count) where mask >> UInt8(index - start) & 1 == 1 {
        content[index] = try byte()
      }
      start += 8
    }
    return content
  }
}
